-- What a process of an older version had begun to store when its table was copied: it noted the contents of a batch after the
-- events, perhaps behind the copy. Such a batch is one of the last million sequences. A row that comes twice is one row.
INSERT INTO content_hashes (identity, fingerprint, stream_seq)
SELECT reinterpretAsUInt64(substring(identity, 1, 8)), reinterpretAsUInt64(substring(fingerprint, 1, 8)), stream_seq FROM contents
WHERE stream_seq + 1000000 > (SELECT max(stream_seq) FROM content_hashes);
