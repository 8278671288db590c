import { type ParserPlugin, parse } from '@babel/parser';
import type { Argument, Chain, Literal, Segment, Source } from './chain.ts';

/** A node of the syntax tree; its kinds are told apart by `type`. */
type Node = {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
} & Readonly<Record<string, unknown>>;

/** Reads TypeScript or JavaScript, JSX included; throws `SyntaxError` when it is neither. */
export function readJavaScript(text: string, file: string): Source {
  const isTypeScript = !/\.(c|m)?jsx?$/.test(file);
  const hasJsx = !/\.(c|m)?ts$/.test(file);
  const plugins: ParserPlugin[] = [
    'decorators',
    ...(isTypeScript ? (['typescript'] as const) : (['flow'] as const)),
  ];
  const tree = parse(text, {
    sourceType: 'unambiguous',
    errorRecovery: true,
    allowReturnOutsideFunction: true,
    plugins: hasJsx ? [...plugins, 'jsx'] : plugins,
  });
  const reader = createReader();
  // The library's union of nodes is read by `type` and by key alone.
  visit(tree.program as unknown as Node, { parent: null, isAwaited: false }, reader);
  return reader.source;
}

type Reader = {
  readonly source: {
    readonly chains: Chain[];
    readonly literals: Literal[];
    readonly imports: { module: string; names: string[]; line: number }[];
    readonly typed: Map<string, string>;
  };
  /** Nodes that belong to a chain that was read from its end. */
  readonly read: Set<Node>;
};

const createReader = (): Reader => ({
  source: { chains: [], literals: [], imports: [], typed: new Map() },
  read: new Set(),
});

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

const nodeAt = (node: Node, key: string): Node | undefined => {
  const value = node[key];
  return isNode(value) ? value : undefined;
};

const nodesAt = (node: Node, key: string): Node[] => {
  const value = node[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
};

const textAt = (node: Node | undefined, key: string): string => {
  const value = node?.[key];
  return typeof value === 'string' ? value : '';
};

const lineOf = (node: Node): number => node.loc?.start.line ?? 1;

/** Around a node: what holds it, wrappers such as `await` and casts left out. */
type Place = { readonly parent: Node | null; readonly isAwaited: boolean };

function visit(node: Node, place: Place, reader: Reader): void {
  note(node, place, reader);
  const isWrapper = wrappers.has(node.type);
  const inside = isWrapper
    ? { parent: place.parent, isAwaited: place.isAwaited || node.type === 'AwaitExpression' }
    : { parent: node, isAwaited: false };
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc' || key.endsWith('Comments')) continue;
    if (isNode(value)) visit(value, inside, reader);
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) visit(item, inside, reader);
  }
}

function note(node: Node, place: Place, reader: Reader): void {
  const { source } = reader;
  switch (node.type) {
    case 'ImportDeclaration':
      source.imports.push({
        module: textAt(nodeAt(node, 'source'), 'value'),
        names: nodesAt(node, 'specifiers').map((one) => textAt(nodeAt(one, 'local'), 'name')),
        line: lineOf(node),
      });
      return;
    case 'StringLiteral':
      if (place.parent?.type !== 'ImportDeclaration')
        source.literals.push({ text: textAt(node, 'value'), line: lineOf(node) });
      return;
    case 'TemplateLiteral':
      source.literals.push({ text: templateText(node), line: lineOf(node) });
      return;
    case 'Identifier':
      noteType(node, source.typed);
      return;
    case 'CallExpression':
    case 'OptionalCallExpression':
    case 'NewExpression':
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      noteChain(node, place, reader);
      return;
    case 'VariableDeclarator':
      noteMembers(node, reader);
      return;
  }
}

function noteType(node: Node, typed: Map<string, string>): void {
  const type = nodeAt(nodeAt(node, 'typeAnnotation') ?? node, 'typeAnnotation');
  const name = textAt(type === undefined ? undefined : nodeAt(type, 'typeName'), 'name');
  if (name !== '') typed.set(textAt(node, 'name'), name);
}

/** `const { auth, storage } = supabase`: each name is a chain of its own. */
function noteMembers(declaration: Node, { source }: Reader): void {
  const pattern = nodeAt(declaration, 'id');
  const value = nodeAt(declaration, 'init');
  if (pattern?.type !== 'ObjectPattern' || value === undefined) return;
  const segments = segmentsOf(value);
  if (segments === undefined || unwrap(value).isAwaited) return;
  for (const property of nodesAt(pattern, 'properties')) {
    const name = textAt(nodeAt(property, 'key'), 'name');
    const local = textAt(nodeAt(property, 'value'), 'name');
    if (name === '' || local === '') continue;
    source.chains.push({
      segments: [...segments, { name, line: lineOf(property) }],
      assignedTo: [local],
      isAwaited: false,
    });
  }
}

/** Chains are read once, from their last link. */
function noteChain(node: Node, { parent, isAwaited }: Place, reader: Reader): void {
  if (reader.read.has(node)) return;
  const segments = segmentsOf(node, reader.read);
  if (segments === undefined) return;
  const assignedTo = parent === null ? [] : namesOf(targetIn(parent, node));
  reader.source.chains.push({ segments, assignedTo, isAwaited });
}

const wrappers: ReadonlySet<string> = new Set([
  'AwaitExpression',
  'TSNonNullExpression',
  'TSAsExpression',
  'TSSatisfiesExpression',
  'ParenthesizedExpression',
  'TypeCastExpression',
]);

function unwrap(node: Node): { readonly node: Node; readonly isAwaited: boolean } {
  if (!wrappers.has(node.type)) return { node, isAwaited: false };
  const inner = nodeAt(node, node.type === 'AwaitExpression' ? 'argument' : 'expression');
  if (inner === undefined) return { node, isAwaited: false };
  const { node: core, isAwaited } = unwrap(inner);
  return { node: core, isAwaited: isAwaited || node.type === 'AwaitExpression' };
}

/** The links of a chain from its root on; undefined when the root is no name. */
function segmentsOf(wrapped: Node, read?: Set<Node>): Segment[] | undefined {
  const { node } = unwrap(wrapped);
  read?.add(node);
  switch (node.type) {
    case 'Identifier':
      return [{ name: textAt(node, 'name'), line: lineOf(node) }];
    case 'ThisExpression':
      return [{ name: 'this', line: lineOf(node) }];
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      return memberSegments(node, read);
    case 'CallExpression':
    case 'OptionalCallExpression':
    case 'NewExpression':
      return callSegments(node, read);
    default:
      return undefined;
  }
}

function memberSegments(node: Node, read?: Set<Node>): Segment[] | undefined {
  const object = nodeAt(node, 'object');
  const property = nodeAt(node, 'property');
  if (object === undefined || property === undefined) return undefined;
  const before = segmentsOf(object, read) ?? [{ name: '', line: lineOf(object) }];
  const name =
    textAt(property, 'name') || textAt(property, 'value') || textAt(nodeAt(property, 'id'), 'name');
  return [...before, { name, line: lineOf(property) }];
}

function callSegments(node: Node, read?: Set<Node>): Segment[] | undefined {
  const callee = nodeAt(node, 'callee');
  const before = callee === undefined ? undefined : segmentsOf(callee, read);
  const last = before?.at(-1);
  if (before === undefined || last === undefined) return undefined;
  return [...before.slice(0, -1), { ...last, args: nodesAt(node, 'arguments').map(argumentOf) }];
}

/** What a statement or an object sets to the value of a chain. */
function targetIn(parent: Node, node: Node): Node | undefined {
  const isValue = (key: string): boolean => {
    const value = nodeAt(parent, key);
    return value !== undefined && unwrap(value).node === node;
  };
  switch (parent.type) {
    case 'VariableDeclarator':
      return nodeAt(parent, 'id');
    case 'AssignmentExpression':
      return isValue('right') ? nodeAt(parent, 'left') : undefined;
    case 'ClassProperty':
    case 'ObjectProperty':
      return isValue('value') ? nodeAt(parent, 'key') : undefined;
    default:
      return undefined;
  }
}

/** The name that a pattern binds as a whole: a variable, or the last member of `this.channel`. */
function namesOf(target: Node | undefined): string[] {
  if (target === undefined) return [];
  if (target.type === 'Identifier') return [textAt(target, 'name')];
  const property = target.type === 'MemberExpression' ? nodeAt(target, 'property') : undefined;
  const name = textAt(property, 'name');
  return name === '' ? [] : [name];
}

function argumentOf(wrapped: Node): Argument {
  const { node } = unwrap(wrapped);
  switch (node.type) {
    case 'StringLiteral':
      return { text: textAt(node, 'value') };
    case 'TemplateLiteral':
      return { text: templateText(node) };
    case 'BooleanLiteral':
      return { flag: node.value === true };
    case 'ArrayExpression':
      return { items: nodesAt(node, 'elements').map(argumentOf) };
    case 'ObjectExpression':
      return { members: new Map(nodesAt(node, 'properties').flatMap(memberEntry)) };
    default:
      return {};
  }
}

function memberEntry(property: Node): [string, Argument][] {
  const key = nodeAt(property, 'key');
  const value = nodeAt(property, 'value');
  const name = textAt(key, 'name') || textAt(key, 'value');
  return name === '' || value === undefined ? [] : [[name, argumentOf(value)]];
}

const templateText = (node: Node): string =>
  nodesAt(node, 'quasis')
    .map((part) => String((part.value as { cooked?: unknown } | undefined)?.cooked ?? ''))
    .join('…');
