// When it has started, in milliseconds since the page was asked for; or why it has not.
import { boot } from './boot.js';

globalThis.outcome = boot().then(() => ({ ms: performance.now() }), (error) => ({ why: String(error) }));
