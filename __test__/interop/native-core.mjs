// Where the published native core is: inside the npm package of the Electron SDK, one library per platform.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The packages that bring it and load it. */
export const NATIVE_PEERS = { '@openim/electron-client-sdk': '3.8.3-patch.15.1', koffi: '2.8.0' };

const LIBRARIES = {
  'linux-x64': ['linux_x64', 'libopenimsdk.so'],
  'linux-arm64': ['linux_arm64', 'libopenimsdk.so'],
  'darwin-x64': ['mac_x64', 'libopenimsdk.dylib'],
  'darwin-arm64': ['mac_arm64', 'libopenimsdk.dylib'],
  'win32-x64': ['win_x64', 'libopenimsdk.dll'],
};

/** The library for this platform below the folder that the packages are installed in, or undefined. */
export function nativeLibrary(folder) {
  const place = LIBRARIES[`${process.platform}-${process.arch}`];
  if (place === undefined) return undefined;
  const library = join(folder, 'node_modules', '@openim', 'electron-client-sdk', 'assets', ...place);
  return existsSync(library) ? library : undefined;
}
