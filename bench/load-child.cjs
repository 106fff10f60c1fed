// Started by load.mjs. A file, as an application is: code given on the command line makes Node load its ESM machinery
// inside the first `require`, which would be measured along.
'use strict';

const before = performance.now();
require('openim-node');
console.log(performance.now() - before);
