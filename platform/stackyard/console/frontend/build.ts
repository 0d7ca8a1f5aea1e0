/**
 * Bundles the console's scripts: every file of `islands/` and `styles/` is an entry.
 *
 *     deno run … build.ts OUT FINGERPRINT
 *
 * OUT gets the files, named by their content, each also gzipped (the web server sends those), and `manifest.json`,
 * which says what an island's page has to load: `console/bundle.py` reads it. OUT is put in place as a whole.
 */
import * as esbuild from "esbuild";

type Entry = { script?: string; styles: string[]; preload: string[]; gzipBytes: number };
export type Manifest = {
  fingerprint: string;
  entries: Record<string, Entry>;
  /** Chunks fetched on demand, by their source: gzipped bytes of all they need that no page that asks has already. */
  lazy: Record<string, number>;
};

const HERE = import.meta.dirname!;

async function filesOf(folder: string, endings: string[]): Promise<string[]> {
  const names: string[] = [];
  for await (const file of Deno.readDir(`${HERE}/${folder}`)) {
    if (
      file.isFile && endings.some((ending) => file.name.endsWith(ending)) && !file.name.includes("_test.")
    ) {
      names.push(`${folder}/${file.name}`);
    }
  }
  return names.sort();
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

type Outputs = esbuild.Metafile["outputs"];

/** An output and all that it imports at once, itself first. */
function closure(outputs: Outputs, start: string): string[] {
  const seen = new Set([start]);
  for (const path of seen) {
    for (const one of outputs[path]!.imports) if (one.kind === "import-statement") seen.add(one.path);
  }
  return [...seen];
}

/** Who fetches a chunk on demand. */
function importersOf(outputs: Outputs, wanted: string): string[] {
  return Object.entries(outputs)
    .filter(([, output]) =>
      output.imports.some((one) => one.path === wanted && one.kind === "dynamic-import")
    )
    .map(([path]) => path);
}

async function build(out: string, fingerprint: string): Promise<void> {
  const made = await esbuild.build({
    absWorkingDir: HERE,
    entryPoints: [...await filesOf("islands", [".ts", ".tsx"]), ...await filesOf("styles", [".css"])],
    outdir: out,
    outbase: HERE,
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["chrome120", "firefox121", "safari17"],
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    sourcemap: "linked",
    metafile: true,
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".woff2": "file", ".svg": "text" },
    logLevel: "warning",
    write: false,
  });
  const bytesOf = new Map<string, number>();
  await Deno.mkdir(out, { recursive: true });
  for (const file of made.outputFiles) {
    const bytes = file.contents as Uint8Array<ArrayBuffer>;
    await Deno.writeFile(file.path, bytes);
    if (/\.(js|css)$/.test(file.path)) {
      const packed = await gzip(bytes);
      await Deno.writeFile(`${file.path}.gz`, packed);
      bytesOf.set(file.path.split("/").pop()!, packed.length);
    }
  }
  await Deno.writeTextFile(`${out}/meta.json`, JSON.stringify(made.metafile));
  const manifest = manifestOf(made.metafile.outputs, fingerprint, bytesOf);
  await Deno.writeTextFile(`${out}/manifest.json`, JSON.stringify(manifest, null, 1));
}

function manifestOf(outputs: Outputs, fingerprint: string, bytesOf: Map<string, number>): Manifest {
  const nameOf = (path: string) => path.split("/").pop()!;
  const size = (paths: string[]) => paths.reduce((sum, path) => sum + (bytesOf.get(nameOf(path)) ?? 0), 0);
  const manifest: Manifest = { fingerprint, entries: {}, lazy: {} };
  for (const [path, output] of Object.entries(outputs)) {
    if (!output.entryPoint || path.endsWith(".map")) continue;
    const name = nameOf(output.entryPoint).replace(/\.\w+$/, "");
    if (path.endsWith(".css")) {
      manifest.entries[name] = { styles: [nameOf(path)], preload: [], gzipBytes: size([path]) };
    } else if (output.entryPoint.startsWith("islands/")) {
      const all = closure(outputs, path);
      const styles = all.flatMap((one) => outputs[one]!.cssBundle ?? []);
      manifest.entries[name] = {
        script: nameOf(path),
        styles: styles.map(nameOf),
        preload: all.slice(1).map(nameOf),
        gzipBytes: size(all),
      };
    } else {
      const there = new Set(importersOf(outputs, path).flatMap((one) => closure(outputs, one)));
      manifest.lazy[output.entryPoint] = size(closure(outputs, path).filter((one) => !there.has(one)));
    }
  }
  return manifest;
}

if (import.meta.main) {
  const [out, fingerprint] = Deno.args;
  if (!out || !fingerprint) throw new Error("usage: build.ts OUT FINGERPRINT");
  try {
    await build(out, fingerprint);
  } finally {
    await esbuild.stop();
  }
}
