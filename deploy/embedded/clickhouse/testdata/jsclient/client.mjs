// Drives the HTTP interface with the official JavaScript client and prints one JSON object of what it saw.
import { createRequire } from 'node:module'

const [modules, url, database, username, password] = process.argv.slice(2)
const { createClient, ClickHouseError } = createRequire(modules + '/')('@clickhouse/client')

const saw = {}
const writer = createClient({ url, database, username, password, compression: { request: true, response: true } })
const reader = createClient({ url, database, compression: { response: true } })

saw.ping = (await reader.ping()).success
saw.pingWithSelect = (await reader.ping({ select: true })).success

const rows = async (result) => (await result).json()
saw.params = await rows(reader.query({
  query: 'SELECT {n: UInt32} + 1 AS n, {s: String} AS s, {list: Array(String)} AS list, {day: Date} AS day',
  query_params: { n: 41, s: "it's\t\\n", list: ['a', "b'"], day: '2025-10-31' },
  format: 'JSONEachRow',
}))
saw.document = (await rows(reader.query({ query: 'SELECT number FROM numbers(3)' }))).rows

await writer.command({ query: 'CREATE TABLE js (id UInt32, name String, tags Array(String)) ENGINE = MergeTree ORDER BY id' })
const inserted = await writer.insert({
  table: 'js',
  values: Array.from({ length: 1000 }, (_, id) => ({ id, name: `企业${id}有限公司`, tags: ['a', String(id)] })),
  format: 'JSONEachRow',
})
saw.written = inserted.summary?.written_rows
saw.queryID = inserted.query_id.length > 0
saw.count = (await rows(reader.query({ query: 'SELECT count() AS n, max(name) AS name FROM js', format: 'JSONEachRow' })))[0]

let streamed = 0
let sum = 0
const stream = await reader.query({ query: 'SELECT number FROM numbers(100000)', format: 'JSONCompactEachRow' })
for await (const chunk of stream.stream()) {
  for (const row of chunk) {
    streamed += 1
    sum += Number(row.json()[0])
  }
}
saw.streamed = [streamed, sum]

const session = createClient({ url, database, username, password, session_id: database + '-js' })
await session.command({ query: 'CREATE TEMPORARY TABLE mine (a UInt8)' })
await session.insert({ table: 'mine', values: [{ a: 1 }, { a: 2 }], format: 'JSONEachRow' })
saw.session = (await rows(session.query({ query: 'SELECT sum(a) AS s FROM mine', format: 'JSONEachRow' })))[0].s

saw.setting = (await rows(reader.query({
  query: "SELECT getSetting('max_block_size') AS v", format: 'JSONEachRow', clickhouse_settings: { max_block_size: '77' },
})))[0].v

const failure = async (action) => {
  try {
    await action()
    return 'no error'
  } catch (error) {
    return error instanceof ClickHouseError ? [error.code, error.type] : `${error}`
  }
}
saw.unknownTable = await failure(() => reader.query({ query: 'SELECT * FROM nosuch' }))
saw.readonly = await failure(() => reader.command({ query: 'DROP TABLE js' }))
saw.outfile = await failure(() => reader.exec({ query: "SELECT 1 INTO OUTFILE '/tmp/x'" }))
const plain = createClient({ url, database })
saw.midStream = await failure(async () => {
  const result = await plain.query({
    query: 'SELECT number, throwIf(number = 2500) FROM numbers(5000)',
    format: 'JSONEachRow',
    clickhouse_settings: { max_block_size: '1000', http_response_buffer_size: '1000' },
  })
  for await (const _ of result.stream()) { /* to its end */ }
})
const aborter = new AbortController()
const aborted = reader.query({
  query: 'SELECT sum(sipHash64(a.number, b.number)) FROM numbers(1000000) AS a CROSS JOIN numbers(1000000) AS b',
  abort_signal: aborter.signal,
})
aborter.abort()
saw.aborted = await failure(() => aborted)

await Promise.all([writer.close(), reader.close(), session.close(), plain.close()])
console.log(JSON.stringify(saw))
