// All files in one folder, beside index.html: any server can have them anywhere.
export default { base: './', build: { assetsDir: '', target: 'es2022' } };
