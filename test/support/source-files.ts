import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync, type ModuleItem } from '@swc/core';

export const root = join(__dirname, '../..');

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  path: string;
  text: string;
  /** What it imports: project files as paths from the root, packages by their specifier. */
  imports: readonly string[];
}

/** Every TypeScript file of the product: what git knows of, tests left out. */
export function readSourceFiles(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const paths = listed
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('test/') && !path.endsWith('.d.ts'))
    .filter((path) => existsSync(join(root, path))); // not what has been deleted and not committed yet
  return paths.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, imports: importsOf(path, text) };
  });
}

function importsOf(path: string, text: string): string[] {
  const { body } = parseSync(text, { syntax: 'typescript', target: 'es2024' });
  const dynamic = [...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)].map((match) => match[1] ?? '');
  const specifiers = [...body.flatMap((item) => sourceOf(item) ?? []), ...dynamic];
  return specifiers.map((specifier) =>
    specifier.startsWith('.') ? relative(root, join(root, dirname(path), specifier)) : specifier,
  );
}

function sourceOf(item: ModuleItem): string | undefined {
  if (item.type === 'ImportDeclaration' || item.type === 'ExportAllDeclaration') return item.source.value;
  return item.type === 'ExportNamedDeclaration' ? item.source?.value : undefined;
}
