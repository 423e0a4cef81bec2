// The phases of a load, in their order.

export const Phase = {
  Connecting: 0,
  Running: 1,
  Draining: 2,
  Closing: 3,
  Closed: 4,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];
