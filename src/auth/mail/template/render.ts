import { assertNever } from '../../../core/result.ts';
import { advance, documentStart, escapeAt, type HtmlPlace } from './escape.ts';
import { isTrue, memberOf, templateFunction, textOf } from './functions.ts';
import { type Expression, type Node, parseTemplate } from './parse.ts';

/** A template that was read. */
export type Template = { readonly nodes: readonly Node[] };

/** Reads a template; throws `TemplateError`. */
export const compileTemplate = (source: string): Template => ({ nodes: parseTemplate(source) });

type Scope = { readonly dot: unknown; readonly names: Map<string, unknown>; readonly parent: Scope | null };

/** What is written, and where in the document it has come to. */
type Output = { text: string; place: HtmlPlace; readonly isHtml: boolean };

/** Fills a template in as HTML: values are escaped for the place where they land. Throws `TemplateError`. */
export const renderHtml = (template: Template, data: unknown): string => render(template, data, true);

/** Fills a template in as plain text. Throws `TemplateError`. */
export const renderText = (template: Template, data: unknown): string => render(template, data, false);

function render(template: Template, data: unknown, isHtml: boolean): string {
  const out: Output = { text: '', place: documentStart, isHtml };
  write(template.nodes, { dot: data, names: new Map([['$', data]]), parent: null }, out);
  return out.text;
}

const inner = (scope: Scope, dot: unknown): Scope => ({ dot, names: new Map(), parent: scope });

function write(nodes: readonly Node[], scope: Scope, out: Output): void {
  for (const node of nodes) {
    switch (node.kind) {
      case 'text':
        append(out, node.text);
        break;
      case 'emit': {
        const text = textOf(evaluate(node.value, scope));
        append(out, out.isHtml ? escapeAt(out.place, text) : text);
        break;
      }
      case 'set':
        assign(scope, node.name, node.isNew, evaluate(node.value, scope));
        break;
      case 'if':
      case 'with':
      case 'range':
        writeBlock(node, scope, out);
        break;
      default:
        assertNever(node);
    }
  }
}

function append(out: Output, text: string): void {
  out.text += text;
  if (out.isHtml) out.place = advance(out.place, text);
}

function writeBlock(node: Extract<Node, { readonly names: unknown }>, scope: Scope, out: Output): void {
  const value = evaluate(node.value, scope);
  if (!isTrue(value)) {
    write(node.otherwise, inner(scope, scope.dot), out);
    return;
  }
  if (node.kind === 'range') {
    for (const [key, item] of itemsOf(value)) {
      const within = inner(scope, item);
      const [first, second] = node.names;
      if (second !== undefined && first !== undefined) within.names.set(first, key).set(second, item);
      else if (first !== undefined) within.names.set(first, item);
      write(node.body, within, out);
    }
    return;
  }
  const within = inner(scope, node.kind === 'with' ? value : scope.dot);
  const [name] = node.names;
  if (name !== undefined) within.names.set(name, value);
  write(node.body, within, out);
}

function itemsOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return value.map((item, i) => [i, item] as const);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function assign(scope: Scope, name: string, isNew: boolean, value: unknown): void {
  let owner: Scope | null = scope;
  while (!isNew && owner !== null && !owner.names.has(name)) owner = owner.parent;
  (owner ?? scope).names.set(name, value);
}

function lookUp(scope: Scope, name: string): unknown {
  for (let here: Scope | null = scope; here !== null; here = here.parent) {
    if (here.names.has(name)) return here.names.get(name);
  }
  return undefined;
}

function evaluate(expression: Expression, scope: Scope, piped: readonly unknown[] = []): unknown {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'field':
      return expression.path.reduce(memberOf, scope.dot);
    case 'variable':
      return expression.path.reduce(memberOf, lookUp(scope, expression.name));
    case 'call': {
      const args = expression.args.map((arg) => evaluate(arg, scope));
      return templateFunction(expression.name)(...args, ...piped);
    }
    case 'pipe':
      return expression.stages.reduce<readonly unknown[]>(
        (previous, stage) => [evaluate(stage, scope, previous)],
        [],
      )[0];
    default:
      return assertNever(expression);
  }
}
