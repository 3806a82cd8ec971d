// Renders docs/*.md to dist/docs/: a page a guide, a page for each code, and references of Kotlin and Swift from their bindings.
//
// docs/README.md names the guides in their order. docs/codes.md, which core writes, is taken apart at its headings:
// docs/codes/FAMILY/WORDS.html is what an error's code leads to. Pages need no script.
// `cargo xtask docs` puts references of other languages beside them and runs this once more, by itself.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import MarkdownIt from 'markdown-it';
import { renderBindings } from './bindings.mjs';

/** As people's links to GitHub have it: both places know one another's anchors. */
export const slug = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(/\s/g, '-');
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
/** What is made here or `cargo xtask docs` may have put below reference/, and where each begins. */
const REFERENCES = { TypeScript: 'typescript/index.html', Kotlin: 'kotlin.html', Swift: 'swift.html', Rust: 'rust/antiphon_core/index.html', Python: 'python/antiphon.html' };
/** Languages whose references are made here, with what a developer should know first, and where their sources are below mobile/. */
const BINDINGS = {
  Kotlin: ['The package `io.antiphon`, for the JVM and for Android. Every call throws `AntiphonException` where the text names errors; `suspend` functions may be cancelled, and what moves money goes on all the same.',
    'kotlin/src/main/kotlin/io/antiphon/antiphon.kt', 'kotlin/src/main/kotlin/io/antiphon/Flows.kt', 'kotlin/src/android/kotlin/io/antiphon/KeystoreSecretStore.kt'],
  Swift: ['The module `Antiphon`. Every call throws `AntiphonError` where the text names errors. A cancelled task leaves its call running.',
    'swift/Sources/Antiphon/Antiphon.swift', 'swift/Sources/Antiphon/Sequences.swift', 'swift/Sources/Antiphon/KeychainStore.swift'],
};
const pageOf = (code) => `codes/${code}.html`;

/** Writes all pages. */
export function renderDocs(source, target) {
  const read = (name) => readFileSync(join(source, name), 'utf8').replaceAll(/<!--.*?-->\n?/gs, '');
  const write = (path, text) => {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  };
  const chapters = readCodes(read('codes.md'));
  const codes = new Map(chapters.flatMap(({ rows }) => rows.map(({ code }) => [slug(code), code])));
  const index = read('README.md');
  const guides = [...index.matchAll(/^- \[(.+?)\]\((\w+)\.md\)/gm)].map(([, title, name]) => (
    { title, name: name.replace(/^./, (first) => first.toUpperCase()), path: name === 'codes' ? 'codes/index.html' : `${name}.html` }
  ));
  const render = (path, text) => markdown(path, codes).render(text);
  const page = (path, title, about, body) => write(path, frame(path, title, about, body, guides));

  for (const [language, [intro, ...files]] of Object.entries(BINDINGS)) {
    const path = `reference/${language.toLowerCase()}.html`;
    const text = renderBindings(language, intro, files.map((file) => readFileSync(join(source, '../mobile', file), 'utf8')));
    page(path, language, `Every type and call of Antiphon in ${language}.`, render(path, text));
  }
  page('index.html', 'Docs', 'Guides, codes and references of Antiphon.', render('index.html', index));
  for (const { title, path } of guides.filter(({ path }) => !path.startsWith('codes/'))) {
    const more = path === 'reference.html' ? referencesIn(target) : '';
    page(path, title, `Antiphon: ${title}.`, render(path, read(path.replace('.html', '.md')) + more));
  }
  page('codes/index.html', 'Codes', 'Every stable code of Antiphon.', render('codes/index.html', listOf(chapters)));
  for (const chapter of chapters) {
    for (const row of chapter.rows) {
      page(pageOf(row.code), row.code, row.text.split('\n')[0], render(pageOf(row.code), explain(row, chapter)));
    }
  }
  return { guides: guides.length, codes: codes.size };
}

/** Links to the references that are there. */
function referencesIn(target) {
  const made = Object.entries(REFERENCES).filter(([, path]) => existsSync(join(target, 'reference', path)));
  return made.length === 0 ? '' : `\n## On this site\n\n${made.map(([name, path]) => `- [${name}](reference/${path})`).join('\n')}\n`;
}

/** Takes docs/codes.md apart: chapters with their codes. */
function readCodes(text) {
  return text.split('\n## ').slice(1).map((chapter) => {
    const [head, ...rows] = chapter.split('\n### ');
    const [title, about] = [head.slice(0, head.indexOf('\n')), head.slice(head.indexOf('\n')).trim()];
    return { title, about, rows: rows.map((row) => ({ code: row.slice(1, row.indexOf('`', 1)), text: row.slice(row.indexOf('\n')).trim() })) };
  });
}

const listOf = (chapters) => `# Codes\n\nEvery error, trouble and refusal has a stable code. Match on it, not on texts.\n\n${chapters.map(({ title, about, rows }) =>
  `## ${title}\n\n${about}\n\n${rows.map(({ code, text }) => `- \`${code}\` ${text.split('\n')[0]}`).join('\n')}\n`).join('\n')}`;

const explain = ({ code, text }, { title, about, rows }) =>
  `# \`${code}\`\n\n${text}\n\n## ${title}\n\n${about}\n\n${rows.filter((row) => row.code !== code).map((row) => `\`${row.code}\``).join(' · ')}\n`;

/** Markdown as our pages show it, with links as seen from `path`. */
function markdown(path, codes) {
  const to = (target) => posix.relative(posix.dirname(path), target);
  const md = new MarkdownIt({ html: false, linkify: false, typographer: false });
  const { rules } = md.renderer;
  const known = new Set(codes.values());
  const plain = ({ content, children }) => (children ? children.map(plain).join('') : content);
  rules.heading_open = (tokens, at, options, _, self) => {
    tokens[at].attrSet('id', slug(plain(tokens[at + 1])));
    return self.renderToken(tokens, at, options);
  };
  // What may be wider than a phone is reached by keys, too, and no two of a page have one name.
  rules.table_open = (tokens, at) => {
    const number = tokens.slice(0, at + 1).filter(({ type }) => type === 'table_open').length;
    const heading = tokens.findLastIndex(({ type }, place) => type === 'heading_open' && place < at);
    return `<div class="wide" tabindex="0" role="region" aria-label="Table ${number}: ${escape(plain(tokens[heading + 1]))}"><table>\n`;
  };
  rules.table_close = () => '</table></div>\n';
  rules.fence = (tokens, at) => `<pre tabindex="0"><code class="${escape(tokens[at].info)}">${escape(tokens[at].content)}</code></pre>\n`;
  rules.code_inline = (tokens, at) => {
    const { content } = tokens[at];
    const text = `<code>${escape(content)}</code>`;
    const leads = known.has(content) && pageOf(content) !== path && tokens[at - 1]?.type !== 'link_open';
    return leads ? `<a href="${to(pageOf(content))}">${text}</a>` : text;
  };
  md.core.ruler.push('links', ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type === 'link_open') token.attrSet('href', lead(token.attrGet('href'), to, codes));
    }
  });
  return md;
}

/** Where a link of a guide leads on the site. Sources are not served: such a link would be a dead one. */
function lead(href, to, codes) {
  if (/^(https?:|#|reference\/)/.test(href)) return href;
  const [, name, anchor] = /^(\w+)\.md(?:#(.*))?$/.exec(href) ?? [];
  if (name === 'codes') return to(anchor && codes.has(anchor) ? pageOf(codes.get(anchor)) : 'codes/index.html');
  if (name !== undefined) return `${to(name === 'README' ? 'index.html' : `${name}.html`)}${anchor ? `#${anchor}` : ''}`;
  throw new Error(`a guide links to ${href}: name sources in code, not by links`);
}

function frame(path, title, about, body, guides) {
  const up = '../'.repeat(path.split('/').length);
  const at = (target) => posix.relative(posix.dirname(path), target);
  const links = [{ name: 'Docs', path: 'index.html' }, ...guides].map((guide) => {
    const isHere = guide.path === path || (guide.path === 'reference.html' && path.startsWith('reference/')) || (guide.path.startsWith('codes/') && path.startsWith('codes/'));
    return `<li><a href="${at(guide.path)}"${isHere ? ' aria-current="page"' : ''}>${guide.name}</a></li>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escape(about)}">
<title>${escape(title)} – Antiphon</title>
<link rel="icon" href="${up}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${up}style.css">
<link rel="stylesheet" href="${up}docs.css">
</head>
<body class="docs">
<a class="skip" href="#text">Skip to the text</a>
<header class="top">
  <p class="wordmark"><a href="${up}index.html">Antiphon</a></p>
  <nav aria-label="Docs"><ul class="guides">${links.join('')}</ul></nav>
</header>
<main id="text" class="text">
${body}</main>
</body>
</html>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  renderDocs(here('../docs'), here('dist/docs'));
}
