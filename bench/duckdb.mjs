// DuckDB for bench/run: one query a line of stdin, as {"sql": ...}; one answer a line of stdout, as {"ms": ..., "rows": ...}.
//   node duckdb.mjs <directory of node_modules> <database file> <threads>
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [, , directory, file, threads] = process.argv;
const { DuckDBInstance } = await import(pathToFileURL(createRequire(directory + '/x.js').resolve('@duckdb/node-api')));
const connection = await (await DuckDBInstance.create(file, { threads })).connect();
for await (const line of createInterface({ input: process.stdin })) {
	let answer;
	try {
		const begin = performance.now();
		const rows = (await connection.runAndReadAll(JSON.parse(line).sql)).getRows();
		answer = { ms: performance.now() - begin, rows: rows.map((row) => row.map(String)) };
	} catch (error) {
		answer = { error: String(error) };
	}
	console.log(JSON.stringify(answer));
}
connection.closeSync();
process.exit(0);
