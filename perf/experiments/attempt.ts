// One part of an experiment that may fail without ending the others.

/** Prints why `act` failed, and resolves with null then. */
export async function attempt<T>(name: string, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    console.log(`${name}: NOT RUN: ${(error as Error).message.trim()}`);
    return null;
  }
}
