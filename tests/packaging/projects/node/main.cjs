'use strict';
const { readFileSync } = require('node:fs');
const trial = require('./trial.cjs');

trial(require, (name) => readFileSync(require.resolve(name)));
