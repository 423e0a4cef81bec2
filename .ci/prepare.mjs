// npm runs this as the script `prepare`: after npm ci and npm install here, before npm pack and npm
// publish, and where a project installs the package from a git repository. It compiles the package,
// so that what is packed always has a dist/ of its sources. Only what is packed is minified: tests,
// profiles and coverage run the code as it was compiled. Plain JavaScript, as build.mjs.

import { build, minifyPackage } from './build.mjs';

const omitted = (process.env.npm_config_omit ?? '').split(/\s+/).includes('dev');
const packs = ['pack', 'publish'].includes(process.env.npm_command ?? '');

// Without the compiler a server can still run from a dist/ that was built elsewhere.
if (omitted && !packs) {
  console.log('dist/ is not compiled: the packages for development are omitted');
} else if (!(await build('package'))) {
  console.error('the package could not be compiled to dist/');
  process.exitCode = 1;
} else if (packs) {
  await minifyPackage();
}
