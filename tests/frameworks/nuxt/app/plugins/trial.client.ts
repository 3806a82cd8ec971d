// Begins once Vue has taken over what the server wrote.
export default defineNuxtPlugin((nuxt) => {
  nuxt.hook('app:suspense:resolve', () => import('../../trial/begin.js'));
});
