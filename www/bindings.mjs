// Makes a page of what a language is given: every type and call of its bindings, with the text that stands in front of it.
//
// uniffi writes the bindings, and their texts are those of the Rust beside which they are written. What stands in an interface
// or a protocol without a text is an error here; what else has none is machinery.

const KOTLIN = {
  // An object is its interface, and what makes one lies in its class.
  type: /^(?:public |open |sealed |data |enum )*(?:class|interface|object) (\w+)/,
  call: /^(?:suspend )?fun [^{=]+/,
  field: /^va[lr] `?\w+`?: [^=]+/,
  variant: /^(?:data )?(?:class|object) (\w+)|^([A-Z_]+)[,;]?$/,
  top: /^(?:@Throws\(\w+::class\) )?(?:suspend )?fun /,
  bare: (line) => line.replaceAll('`', '').replace(/^@Throws\([^)]*\)\s*/, '').replace(/^(?:override |public )+/, '').replaceAll(/\b(?:kotlin|io\.antiphon)\./g, '').replaceAll(' : ', ': '),
};
const SWIFT = {
  type: /^(?:public |open |final )*(?:class|protocol|struct|enum|extension) (\w+)/,
  call: /^(?:static )?func [^{]+/,
  field: /^var \w+: [^={]+/,
  variant: /^case (\w+)/,
  top: /^public func /,
  bare: (line) => line.replace(/^(?:public |open )+/, '').replaceAll(/\)\s*(async )?\s*(throws)?\s*/g, (_, waits = '', fails = '') => `) ${waits}${fails} `).replaceAll(/ +/g, ' '),
};

/** Renders the bindings of a language, `sources` being their texts, as Markdown. @param {'Kotlin' | 'Swift'} language */
export function renderBindings(language, intro, sources) {
  const grammar = language === 'Kotlin' ? KOTLIN : SWIFT;
  const entries = sources.flatMap((source) => read(source, grammar));
  const calls = entries.filter(({ kind }) => kind === 'call');
  const types = merge(entries.filter(({ kind }) => kind === 'type'));
  const list = (members) => members.map(({ kind, line, text }) => `${kind === 'part' ? '  ' : ''}- \`${line}\` ${inline(text)}`).join('\n');
  const type = ({ name, text, members }) => `### ${name}\n\n${native(text)}\n\n${list(members)}\n`;
  const has = ({ members }, kind) => members.some((member) => member.kind === kind);
  const chapters = { Objects: types.filter((one) => !has(one, 'variant') && (has(one, 'call') || one.members.length === 0)), 'Errors, events and choices': types.filter((one) => has(one, 'variant')) };
  const rest = types.filter((one) => !Object.values(chapters).flat().includes(one));
  return `# ${language}\n\n${intro}\n\n## Functions\n\n${list(calls)}\n\n${Object.entries({ ...chapters, Records: rest }).map(([title, all]) =>
    `## ${title}\n\n${all.map(type).join('\n')}`).join('\n')}`;
}

/** A text with the names of its language: they are Rust's beside the Rust. */
const native = (text) => text.replaceAll(/`[a-z]+_[a-z_]+/g, (name) => name.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase()));

/** A text in one line of a list: what fails is told at its end. What Kotlin links is code. */
const inline = (text) => native(text).replace(/\n*# Errors\n/g, ' Errors: ').replaceAll('\n', ' ').replaceAll(/\[([\w.]+)\]/g, '`$1`');

/** Puts what is said of one type in several places together. */
function merge(types) {
  /** @type {Map<string, typeof types[0]>} */ const known = new Map();
  for (const { name: said, text, members } of types) {
    const name = said.replace(/(?:Interface|Protocol)$/, '');
    const one = known.get(name) ?? { kind: 'type', name, text, members: [] };
    known.set(name, one);
    one.text ||= text;
    const there = new Set(one.members.map(({ line }) => line));
    one.members.push(...members.filter(({ line }) => !there.has(line)));
  }
  return [...known.values()].filter(({ text }) => text !== '');
}

/** Reads a source: types with what is in them, and calls beside them. */
function read(source, { type, call, field, variant, top, bare }) {
  const found = [];
  /** @type {{ name: string, text: string, members: object[] } | null} */ let open = null;
  let [text, isPart] = ['', false];
  const lines = source.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    let line = lines[at].trim();
    const isTop = !/^\s/.test(lines[at]);
    if (line.startsWith('///')) {
      text += `${text === '' ? '' : '\n'}${line.slice(3).trim()}`;
      continue;
    }
    if (line.startsWith('/**')) {
      const from = at;
      while (!lines[at].includes('*/')) at += 1;
      text = lines.slice(from, at + 1).map((one) => one.replace(/\*\/.*$/, '').trim().replace(/^\/?\*+ ?/, '')).join('\n').trim();
      if (/@suppress|uniffi/.test(text + lines[at + 1])) text = '';
      line = lines[at].split('*/')[1].trim();
    }
    // Between a text and what it is of.
    if (line === '' || line === 'public' || /^@(?!Throws\(\w+::class\) )/.test(line)) continue;
    while (call.test(bare(line)) && line.split('(').length > line.split(')').length) line += lines[at += 1].trim();
    const [said, name] = [bare(line), type.exec(line)?.[1]];
    if (isTop && name !== undefined) {
      open = /^(?:Ffi|Uniffi)|Impl$/.test(name) ? null : { kind: 'type', name, text, members: [] };
      if (open !== null) found.push(open);
      isPart = false;
    } else if (call.test(said)) {
      const one = { kind: 'call', line: call.exec(said)[0].trim(), text };
      const isPromised = /(?:Interface|Protocol)$|^SecretStore$/.test(open?.name ?? '');
      if (text === '' && isPromised) throw new Error(`${open.name} has no text for ${said}`);
      if (text !== '' && open !== null) open.members.push(one);
      else if (text !== '' && top.test(line)) found.push(one);
    } else if (open !== null && text !== '') {
      const [, ...names] = variant.exec(said) ?? [];
      const part = said.replace(/[,)].*$/, '');
      const isField = field.test(part);
      if (names.length > 0) open.members.push({ kind: 'variant', line: names.find((one) => one !== undefined), text });
      else if (isField && !(isPart && part.startsWith('val'))) open.members.push({ kind: 'field', line: field.exec(part)[0].trim(), text });
      // What a variant holds; what makes a record is told with its fields.
      else if (isPart) open.members.push({ kind: 'part', line: part, text });
      isPart ||= names.length > 0;
    }
    text = '';
  }
  return found;
}
