export default { turbopack: { root: import.meta.dirname }, allowedDevOrigins: ['127.0.0.1'], poweredByHeader: false };
