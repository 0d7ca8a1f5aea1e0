# ruff: noqa: RUF001
"""Code that means harm, one entry a try. `$SECRET` is a file, `$PORT` a listener, `$SOCKET` a socket that none may reach.

Each says how its run may end. What all of them owe is asserted by `tests/test_lambda_hostile.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

REFUSED = ("failed",)
ANY = ("succeeded", "failed")
LATE = ("timed_out",)
LARGE = ("out_of_memory",)
# An allocation that is refused is an error of the code; one that is not ends the process.
TOO_LARGE = ("out_of_memory", "failed")


@dataclass(frozen=True)
class Hostile:
    """One lambda. `ends` are the states its run may end in; `seconds` its time limit."""

    name: str
    code: str
    ends: tuple[str, ...] = REFUSED
    seconds: float = 8.0


def _all(prefix: str, ends: tuple[str, ...], codes: list[str], seconds: float = 8.0) -> list[Hostile]:
    return [
        Hostile(f"{prefix} {number}: {code[:60]}", code, ends, seconds)
        for number, code in enumerate(codes, 1)
    ]


FS = "const fs = process.getBuiltinModule('fs');"
RAW = f"""{FS}
const frame = (kind, run, text, length) => {{
  const body = new TextEncoder().encode(text), all = new Uint8Array(9 + body.length), view = new DataView(all.buffer);
  view.setUint32(0, length ?? body.length); view.setUint8(4, kind); view.setUint32(5, run); all.set(body, 9);
  for (let sent = 0; sent < all.length;) sent += fs.writeSync(1, all.subarray(sent));
}};
"""
SLEEP = "await new Promise(() => {})"

FILES = _all("files", REFUSED, [
    "return await Deno.readTextFile('$SECRET')",
    f"{FS} return fs.readFileSync('$SECRET', 'utf8')",
    f"{FS} return await fs.promises.readFile('$SECRET', 'utf8')",
    "return await Deno.readTextFile('/etc/passwd')",
    "return await Deno.readTextFile('../../../../../../../../../../etc/passwd')",
    "return await Deno.readTextFile(`${Deno.cwd()}/../../../../../../../..$SECRET`)",
    "return (await import('file://$SECRET', { with: { type: 'text' } })).default",
    "return (await import('file:///etc/passwd', { with: { type: 'bytes' } })).default",
    "return await (await fetch('file://$SECRET')).text()",
    "return await Deno.readTextFile('/proc/self/environ')",
    "return await Deno.readTextFile('/proc/1/environ')",
    "return await Deno.readTextFile(`/proc/${Deno.ppid}/environ`)",
    "return await Deno.readTextFile('/proc/self/root$SECRET')",
    "return await Deno.readTextFile('/proc/self/cmdline')",
    "return await Deno.readTextFile('/dev/stdin')",
    "return await Deno.readTextFile('/dev/fd/3')",
    "return [...Deno.readDirSync('/')].map(one => one.name)",
    "return Deno.statSync('/etc')",
    "return Deno.realPathSync('/etc')",
    "Deno.chdir('/'); return Deno.readTextFileSync('etc/passwd')",
    "return await Deno.readTextFile(new URL(Deno.mainModule))",
    "await Deno.writeTextFile(new URL(Deno.mainModule), 'x')",
    "await Deno.writeTextFile('/tmp/stackyard-was-here', 'x')",
    "await Deno.writeTextFile('../outside', 'x')",
    "return Deno.makeTempFileSync()",
    "Deno.symlinkSync('$SECRET', 'link'); return Deno.readTextFileSync('link')",
    f"{FS} fs.symlinkSync('/etc/passwd', 'link'); return fs.readFileSync('link', 'utf8')",
    "Deno.linkSync('$SECRET', 'hard'); return Deno.readTextFileSync('hard')",
    f"{FS} fs.linkSync('/etc/passwd', 'hard'); return fs.readFileSync('hard', 'utf8')",
    "Deno.copyFileSync('$SECRET', 'copy'); return Deno.readTextFileSync('copy')",
    f"{FS} fs.cpSync('$SECRET', 'copy'); return fs.readFileSync('copy', 'utf8')",
    "Deno.writeTextFileSync('mine', 'x'); Deno.renameSync('mine', '/tmp/stackyard-was-here')",
    "Deno.removeSync('$SECRET')",
    "Deno.chmodSync('$SECRET', 0o777)",
    "for await (const event of Deno.watchFs('/etc')) return event",
    "const { DatabaseSync } = process.getBuiltinModule('sqlite'); return new DatabaseSync('$SECRET').prepare('select 1').all()",
    """const { DatabaseSync } = process.getBuiltinModule('sqlite'); const db = new DatabaseSync(':memory:');
       db.exec("ATTACH DATABASE '/tmp/stackyard-was-here' AS other; CREATE TABLE other.t(a)")""",
    "return process.getBuiltinModule('module').createRequire('file:///')('$SECRET')",
    "localStorage.setItem('a', 'b')",
    "await caches.open('a')",
    "return (await Deno.openKv('/tmp/stackyard-was-here')).get(['a'])",
    """const { WASI } = await import('node:wasi'); const wasi = new WASI({ version: 'preview1', preopens: { '/': '/' } });
       throw new Error(typeof wasi)""",
])  # fmt: skip

ENVIRONMENT = _all("environment", REFUSED, [
    "return Deno.env.get('STACKYARD_CANARY')",
    "return Deno.env.toObject()",
    "return process.env.STACKYARD_CANARY.length",
    "return { ...process.env }.STACKYARD_CANARY.length",
    "return (await import('node:process')).env.PATH.length",
    "Deno.env.set('LD_PRELOAD', '/tmp/x.so')",
    "return Deno.hostname()",
    "return process.getBuiltinModule('os').userInfo()",
    "return Deno.networkInterfaces()",
    "return Deno.systemMemoryInfo()",
])  # fmt: skip

PROCESSES = _all("processes", REFUSED, [
    "return new Deno.Command('id').outputSync()",
    "return new Deno.Command(Deno.execPath(), { args: ['eval', '1'] }).spawn().pid",
    "return process.getBuiltinModule('child_process').execSync('id').toString()",
    "return process.getBuiltinModule('child_process').spawnSync('/deno', ['--version']).error.message.length.x.y",
    "return process.getBuiltinModule('child_process').fork('x.js').pid",
    "return process.getBuiltinModule('cluster').fork().process.pid",
    "process.getBuiltinModule('child_process').spawn('sleep', ['60'], { detached: true }).unref(); throw new Error('x')",
    "Deno.kill(Deno.ppid, 'SIGKILL')",
    "process.kill(process.ppid, 'SIGKILL')",
    "process.kill(1, 'SIGKILL')",
    "process.kill(-process.pid, 'SIGKILL')",
    "process.kill(0, 'SIGKILL')",
])  # fmt: skip

FOREIGN = _all("foreign code", REFUSED, [
    "return Deno.dlopen('libc.so.6', { getpid: { parameters: [], result: 'i32' } }).symbols.getpid()",
    "return Deno.dlopen('/lib/x86_64-linux-gnu/libc.so.6', {})",
    "return new Deno.UnsafePointerView(Deno.UnsafePointer.create(1n)).getUint8()",
    "process.dlopen({ exports: {} }, '/tmp/x.node')",
    "return process.getBuiltinModule('module').createRequire('file:///')('/tmp/x.node')",
    "return (await import('https://example.com/x.js')).default",
    "return (await import('npm:left-pad')).default",
    "return (await import('jsr:@std/path')).default",
    "return (await import('http://127.0.0.1:$PORT/x.js')).default",
    "return (await Deno.permissions.request({ name: 'read' })).state.granted.x",
    "process.getBuiltinModule('inspector').open(0)",
    "new (process.getBuiltinModule('inspector').Session)().connectToMainThread()",
])  # fmt: skip

NETWORK = _all("network", REFUSED, [
    "return (await Deno.connect({ port: $PORT })).rid",
    "return (await Deno.connect({ hostname: '127.0.0.1', port: $PORT })).rid",
    "return (await Deno.connect({ hostname: '::1', port: $PORT })).rid",
    "return (await Deno.connect({ hostname: '0.0.0.0', port: $PORT })).rid",
    "return (await Deno.connect({ transport: 'unix', path: '$SOCKET' })).rid",
    "return (await Deno.connectTls({ hostname: 'localhost', port: $PORT })).rid",
    "return Deno.listen({ port: 0 }).addr",
    "return Deno.listen({ transport: 'unix', path: 'mine.sock' }).addr",
    "return Deno.listenDatagram({ port: 0, transport: 'udp' }).addr",
    "return Deno.serve({ port: 0 }, () => new Response('x')).addr",
    "return await Deno.resolveDns('example.com', 'A')",
    "return await process.getBuiltinModule('dns').promises.lookup('localhost')",
    "const ask = Deno.createHttpClient({ proxy: { url: 'http://127.0.0.1:$PORT' } }); return await fetch('http://a', { client: ask })",
    """const socket = process.getBuiltinModule('net').connect($PORT, '127.0.0.1');
       await new Promise((yes, no) => { socket.on('connect', yes); socket.on('error', no) })""",
    """const socket = process.getBuiltinModule('net').connect('$SOCKET');
       await new Promise((yes, no) => { socket.on('connect', yes); socket.on('error', no) })""",
    """const http = process.getBuiltinModule('http');
       await new Promise((yes, no) => http.get('http://127.0.0.1:$PORT/', yes).on('error', no))""",
    """const session = process.getBuiltinModule('http2').connect('http://127.0.0.1:$PORT');
       await new Promise((yes, no) => { session.on('connect', yes); session.on('error', no) })""",
    """const socket = process.getBuiltinModule('dgram').createSocket('udp4');
       await new Promise((yes, no) => { socket.on('error', no); socket.send('x', $PORT, '127.0.0.1', (e) => e ? no(e) : yes()) })""",
    """const socket = new WebSocket('ws://127.0.0.1:$PORT');
       await new Promise((yes, no) => { socket.onopen = yes; socket.onerror = (e) => no(e.error ?? new Error(e.message)) })""",
    "return await new WebSocketStream('ws://127.0.0.1:$PORT').opened",
    """const source = new EventSource('http://127.0.0.1:$PORT');
       await new Promise((yes, no) => { source.onopen = yes; source.onerror = () => no(new Error('refused')) })""",
]) + _all("fetch", REFUSED, [
    f"return await (await fetch('{url}')).text()"
    for url in (
        "http://127.0.0.1:$PORT/", "http://localhost:$PORT/", "http://127.1:$PORT/", "http://2130706433:$PORT/",
        "http://0x7f000001:$PORT/", "http://0177.0.0.1:$PORT/", "http://0:$PORT/", "http://[::1]:$PORT/",
        "http://[::ffff:127.0.0.1]:$PORT/", "http://[::]:$PORT/", "http://127.0.0.1.:$PORT/", "http://１２７.０.０.１:$PORT/",
        "http://a@127.0.0.1:$PORT/", "http://169.254.169.254/latest/meta-data/", "http://[64:ff9b::7f00:1]:$PORT/",
        "ftp://127.0.0.1:$PORT/", "unix:$SOCKET",
    )
])  # fmt: skip

TAMPERING = _all("tampering", ("succeeded", "failed", "timed_out"), [
    "JSON.stringify = () => '{\"value\":\"forged\"}'; return 1",
    "JSON.parse = () => ({}); return await db.get('x').catch(e => e.code)",
    "Array.prototype.push = Array.prototype.map = Array.prototype.join = () => { throw new Error('mine') }; return [1]",
    "Object.prototype.toJSON = () => 'forged'; return { a: 1 }",
    "Object.defineProperty(Object.prototype, 'value', { set() { throw 1 } }); Object.defineProperty(Object.prototype, 'error', { get() { return 1 } }); return { a: 1 }",
    "Promise.prototype.then = () => { throw new Error('mine') }; return 1",
    "Object.defineProperty(Promise.prototype, 'constructor', { get() { throw new Error('mine') } }); return 1",
    "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => null; return 1",
    "TextEncoder.prototype.encode = () => new Uint8Array(0); TextDecoder.prototype.decode = () => '{}'; return 1",
    "DataView.prototype.setUint32 = DataView.prototype.setUint8 = () => {}; return 1",
    "Uint8Array.prototype.set = Uint8Array.prototype.subarray = () => null; return 1",
    "Map.prototype.get = () => () => 'forged'; Map.prototype.delete = () => true; return await db.get('x').catch(e => e.code)",
    "Array.prototype[Symbol.iterator] = function* () { yield 'forged' }; return [1]",
    "String.prototype.isWellFormed = () => false; String.prototype.toWellFormed = () => 'forged'; RegExp.prototype.exec = () => null; return 'x'",
    "Error.prepareStackTrace = () => { while (true); }; throw new Error('x')",
    "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch {} ; return 1",
    "for (const name of Reflect.ownKeys(Deno)) try { Deno[name] = null } catch {} ; return 1",
    "globalThis.Uint8Array = globalThis.DataView = globalThis.Promise = globalThis.Error = null; return 1",
    "Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(Function.prototype); return {}",
    "throw { get message() { while (true); } }",
    "return new Proxy({}, { ownKeys() { while (true); } })",
    "return { toJSON() { return { toJSON: this.toJSON } } }",
    "addEventListener('unhandledrejection', (e) => e.stopImmediatePropagation()); Promise.reject(new Error('x')); await new Promise(r => setTimeout(r, 50)); return 1",
    "Deno.addSignalListener('SIGTERM', () => {}); Deno.addSignalListener('SIGXCPU', () => {}); while (true);",
    "process.getBuiltinModule('v8').setFlagsFromString('--max-old-space-size=8000'); process.getBuiltinModule('v8').setFlagsFromString('--allow-natives-syntax'); return 1",
    "process.emit('exit', 0); process.removeAllListeners(); process.reallyExit?.(0); return 1",
], 0.5)  # fmt: skip

FRAMES = _all("frames", REFUSED, [
    f"{RAW} frame(6, 0, '{{\"value\":\"forged\"}}'); {SLEEP}",
    f"{RAW} frame(6, 12345, '{{\"value\":\"forged\"}}'); {SLEEP}",
    f"{RAW} for (let i = 0; i < 1000; i++) frame(6, i, '{{\"value\":\"forged\"}}'); {SLEEP}",
    f"{RAW} frame(1, 0, '{{}}'); {SLEEP}",
    f"{RAW} frame(2, 0, '{{}}'); {SLEEP}",
    f"{RAW} frame(5, 0, '[1,\"forged\"]'); {SLEEP}",
    f"{RAW} frame(0, 0, ''); {SLEEP}",
    f"{RAW} frame(255, 0, ''); {SLEEP}",
    f"{RAW} frame(6, 0, '', 0xffffffff); {SLEEP}",
    f"{RAW} frame(3, 0, '', 0x7fffffff); {SLEEP}",
    f"{RAW} frame(4, 0, '[1,\"db.get\",[]]'); {SLEEP}",
    f"{RAW} frame(4, 0, 'x'.repeat(17_000_000)); {SLEEP}",
    f"{FS} fs.writeSync(1, 'hello, supervisor'); {SLEEP}",
    f"{FS} fs.writeSync(1, new Uint8Array(100)); return 1",
    f"{FS} while (true) fs.writeSync(1, 'x'.repeat(65536));",
    f"{FS} while (true) fs.writeSync(2, 'x'.repeat(65536));",
]) + _all("frames", LATE, [
    f"{RAW} fs.writeSync(1, new Uint8Array(5)); {SLEEP}",
    f"{RAW} fs.writeSync(1, new Uint8Array([0, 0, 1, 0, 6, 0, 0, 0, 0])); {SLEEP}",
    f"{FS} while (true) fs.readSync(0, new Uint8Array(1000));",
], 0.4) + _all("frames", ("failed", "timed_out"), [f"{FS} fs.closeSync(1); {SLEEP}", f"{FS} fs.closeSync(0); {SLEEP}"], 0.4)  # fmt: skip

FLOODS = _all("floods", (*LATE, *ANY, *LARGE), [
    "while (true) console.log('x'.repeat(1000))",
    "while (true) console.error('x'.repeat(100_000))",
    "while (true) log('x'.repeat(3_000_000))",
    "for (let i = 0; ; i++) db.get('orders', i).catch(() => {})",
    "while (true) await db.get('orders', 1).catch(() => {})",
    "await Promise.all(Array.from({ length: 50 }, () => db.add('orders', 'x'.repeat(2_000_000)).catch(() => {}))); return 1",
    "while (true) await fetch('https://example.com/').catch(() => {})",
    "await db.add('orders', 'x'.repeat(20_000_000))",
], 0.6)  # fmt: skip

OUTPUTS = _all("outputs", TOO_LARGE, [
    "return 'x'.repeat(50_000_000)",
    "return Array.from({ length: 3_000_000 }, (_, i) => i)",
    "let deep = []; for (let i = 0; i < 100_000; i++) deep = [deep]; return deep",
    "throw new Error('x'.repeat(100_000_000))",
    "const error = new Error('x'); error.stack = 'x'.repeat(100_000_000); throw error",
    "const error = new Error('x'); error.name = { toString() { throw 1 } }; throw error",
    "return 2n ** 3_000_000_000n",
    "function f() { f() } f()",
    "const a = 'x'.repeat(500_000_000), b = a + a; return b",
    "const shared = Array(1000).fill('x'.repeat(1000)); return Array(100).fill(shared)",
])  # fmt: skip

BOMBS = _all("bombs", LARGE, [
    "const all = []; while (true) all.push(new Array(100_000).fill(1.5))",
    "const all = []; for (let i = 0; ; i++) all.push('x'.repeat(1000) + i)",
    "const all = []; while (true) all.push(new Uint8Array(4_000_000).fill(1))",
    "const all = []; while (true) all.push(new Uint8Array(new SharedArrayBuffer(4_000_000)).fill(1))",
    "const all = new Map(); for (let i = 0; ; i++) all.set(i, { i })",
    "const memory = new WebAssembly.Memory({ initial: 1 }); while (true) { const old = memory.grow(64); new Uint8Array(memory.buffer, old * 65536).fill(1) }",
    "const all = []; while (true) { all.push(new Promise(() => {})); if (all.length % 100_000 === 0) await 1 }",
    "const all = []; while (true) { const one = new Blob([new Uint8Array(4_000_000).fill(1)]); all.push(one, await one.bytes()) }",
    "let text = ''; const all = []; while (true) { text += 'x'.repeat(1_000_000); all.push(text.replaceAll('x', 'yz')) }",
    "const all = []; while (true) all.push(structuredClone(new Array(100_000).fill({ a: 1 })))",
    "const all = []; while (true) all.push(Buffer.alloc(4_000_000, 1))",
    "for (let i = 0; ; i++) setTimeout(() => {}, 1e6 + i)",
], 20.0) + _all("bombs", TOO_LARGE, [
    "return new Uint8Array(1_500_000_000).fill(1).length",
    "return new Array(2 ** 32 - 1).fill(1).length",
    "return new WebAssembly.Memory({ initial: 65_000 }).buffer.byteLength + 'x'.repeat(1).y.z",
    "return 'x'.repeat(2 ** 29 - 24) + 'x'.repeat(2 ** 29 - 24)",
], 20.0) + _all("scratch", TOO_LARGE, [
    "while (true) Deno.writeFileSync('large', new Uint8Array(4_000_000).fill(1), { append: true })",
    "for (let i = 0; ; i++) Deno.writeFileSync(`f${i}`, new Uint8Array(1_000_000).fill(1))",
    "for (let i = 0; ; i++) Deno.writeFileSync(`f${i}`, new Uint8Array(0))",
    "process.getBuiltinModule('v8').writeHeapSnapshot('/tmp/stackyard-was-here')",
    "for (let i = 0; i < 400; i++) { Deno.mkdirSync('d'); Deno.chdir('d') } throw new Error('deep')",
], 30.0)  # fmt: skip

WORKER = "const { Worker } = process.getBuiltinModule('worker_threads');"
WORKERS = _all("workers", (*LATE, *TOO_LARGE), [
    "new Worker('data:text/javascript,while(true);', { type: 'module' }); " + SLEEP,
    "new Worker('http://127.0.0.1:$PORT/x.js', { type: 'module' }); " + SLEEP,
    f"{WORKER} new Worker('while (true);', {{ eval: true }}); {SLEEP}",
    f"{WORKER} for (let i = 0; i < 64; i++) new Worker('while (true);', {{ eval: true }}); {SLEEP}",
    f"{WORKER} const one = new Worker('while (true);', {{ eval: true }}); one.unref(); await one.terminate(); {SLEEP}",
    f"{WORKER} new Worker('const all = []; while (true) all.push(new Uint8Array(4e6).fill(1))', {{ eval: true }}); {SLEEP}",
    f"{WORKER} new Worker('process.kill(process.pid, \"SIGKILL\")', {{ eval: true }}); {SLEEP}",
    f"{WORKER} new Worker('require(\"fs\").writeSync(1, \"forged\")', {{ eval: true }}); {SLEEP}",
    f"""{WORKER} const one = new Worker(`fetch('http://127.0.0.1:$PORT/').then(r => 'ok', e => '' + e)
       .then(t => require('worker_threads').parentPort.postMessage(t))`, {{ eval: true }});
       throw new Error(await new Promise((yes, no) => {{ one.on('message', yes); one.on('error', no) }}))""",
    f"{WORKER} new Worker('require(\"fs\").readFileSync(\"$SECRET\")', {{ eval: true, env: {{}}, stdout: true }}); {SLEEP}",
], 1.5)  # fmt: skip

ENDS = _all("self-kill", REFUSED, [
    "Deno.exit(0)",
    "Deno.exit(7)",
    "process.exit(0)",
    "process.abort()",
    "queueMicrotask(() => { throw new Error('late') }); " + SLEEP,
    "globalThis.close?.(); self.close(); " + SLEEP,
]) + _all("self-kill by signal", ANY, [
    # The first process of a container can't be killed by itself: then it goes on and ends well.
    "process.kill(process.pid, 'SIGKILL')",
]) + _all("stop", LATE, ["Deno.kill(Deno.pid, 'SIGSTOP'); " + SLEEP], 0.4)  # fmt: skip

LOOPS = _all("loops", (*LATE, *LARGE), [
    "while (true);",
    "for (;;) Math.random()",
    "while (true) await 1",
    "const again = () => queueMicrotask(again); again(); " + SLEEP,
    "const again = () => Promise.resolve().then(again); again(); " + SLEEP,
    "const again = () => process.nextTick(again); again(); " + SLEEP,
    "setInterval(() => { while (true); }, 1); " + SLEEP,
    "const again = () => setImmediate(again); again(); " + SLEEP,
    "setTimeout(() => { while (true); }, 1); " + SLEEP,
    "return /^(a+)+$/.test('a'.repeat(40) + '!')",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "await new Promise(r => setTimeout(r, 1e9))",
    SLEEP,
    "return { get a() { while (true); } }",
    "await db.get('x').catch(() => { while (true); })",
    "try { while (true); } finally { while (true); }",
    "new FinalizationRegistry(() => {}).register({}, 0); while (true) ({});",
    "return (await WebAssembly.instantiate(Uint8Array.from(atob('AGFzbQEAAAABBAFgAAADAgEABwUBAWYAAAoJAQcAA0AMAAsL'), c => c.charCodeAt(0)))).instance.exports.f()",
], 0.4)  # fmt: skip

HARMLESS = _all("harmless", (*ANY, *LATE), [
    "return new Function('return 1 + 1')()",
    "return eval('1 + 1')",
    "Deno.kill(Deno.pid, 'SIGSEGV')",
    "process.kill(process.pid, 'SIGTERM')",
    "return Deno.pid > 0 && typeof Deno.version.deno",
    "const shared = new SharedArrayBuffer(8); return performance.now() > 0",
    "Promise.resolve().then(() => { while (true); }); return 1",
    "setTimeout(() => { while (true); }, 20); return 1",
    "Deno.stdin.close(); Deno.stdout.close(); return Deno.stdin.readSync(new Uint8Array(10))",
    "return prompt('name?') ?? confirm('sure?') ?? alert('x') ?? 1",
], 0.5)  # fmt: skip

ALL = [
    *FILES, *ENVIRONMENT, *PROCESSES, *FOREIGN, *NETWORK, *TAMPERING, *FRAMES, *FLOODS, *OUTPUTS, *BOMBS, *WORKERS, *ENDS, *LOOPS,
    *HARMLESS,
]  # fmt: skip
