// File names that are devices on Windows.

/** Device names that exist in every directory of Windows, with any extension. */
export const WINDOWS_DEVICE: RegExp =
  /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3]) *(?:\.|$)/i;
