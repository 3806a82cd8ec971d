export default defineNuxtConfig({
  compatibilityDate: '2026-11-01',
  vue: { compilerOptions: { isCustomElement: (tag) => tag === 'antiphon-player' } },
  app: { head: { title: 'A page with Antiphon', link: [{ rel: 'icon', href: 'data:,' }] } },
  devtools: { enabled: false },
});
