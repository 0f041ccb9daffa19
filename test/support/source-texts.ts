import ts from 'typescript';
import type { SourceText } from './avoided-words.js';

/** Style sheets, scripts and shaders. */
const CODE = /[{;]\s*\n/;

/** What the string literals of a TypeScript file say: sentences of errors apart from all other texts. */
export interface SourceTexts {
  readonly errors: readonly SourceText[];
  readonly others: readonly SourceText[];
}

/**
 * Collects string literals and templates of more than one word, other than code. Values in a template and HTML tags are left out.
 *
 * @param file - the name that the texts carry.
 */
export function sourceTexts(file: string, source: string): SourceTexts {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const errors: SourceText[] = [];
  const others: SourceText[] = [];
  const visit = (node: ts.Node, inError: boolean): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isLiteralTypeNode(node)) return;
    const within =
      inError || ts.isThrowStatement(node) || (ts.isNewExpression(node) && node.expression.getText().endsWith('Error'));
    const text = textOf(node);
    if (text !== undefined) {
      const line = parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      const plain = text.replace(/<[^<>]*>/g, (tag) => tag.replace(/[^\n]/g, ' '));
      if (/\p{L}[\s…-]+\p{L}/u.test(plain) && !CODE.test(plain)) (within ? errors : others).push({ file, line, text: plain });
    }
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(parsed, false);
  return { errors, others };
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.getText().slice(1, -1);
  if (!ts.isTemplateExpression(node)) return undefined;
  const parts = [node.head, ...node.templateSpans.map(({ literal }) => literal)];
  return parts
    .map((part) =>
      part
        .getText()
        .replace(/^[`}]/, '')
        .replace(/(`|\$\{)$/, ''),
    )
    .join('…');
}
