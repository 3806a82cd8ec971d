import { bootstrapApplication, provideClientHydration } from '@angular/platform-browser';
import { App } from './app';

const app = await bootstrapApplication(App, { providers: [provideClientHydration()] });
// Once Angular has taken over what the server wrote.
await app.whenStable();
await import('../trial/begin.js');
