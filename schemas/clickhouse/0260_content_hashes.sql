-- The hashes of what was delivered, in less than half the bytes: two of 8 bytes in the place of two of 16, and nothing that
-- follows from the sequence. It takes the place of contents. And events lose their copy of the fingerprint, which nobody but
-- the check of a replay read, and which that check can do without.
--
-- Why 8 bytes are enough. What these hashes find is a suspicion, and the texts decide:
--   * Two identities may have one hash (among 30 million by chance once in 40,000 tables; whoever tries can make such a pair of
--     his own, or find one that goes with somebody else's). Both are then taken for one identity of two contents. Their events are
--     read from the stream and stand in contested under their own source and id, where each is alone; the view conflicts, which
--     goes by source and id, says nothing of them. Each of them counts, as always, by events, which knows no hash. The check of a
--     replay looks for what is suspected by source and id as well. Only the counters of repetitions and conflicts among the
--     metrics count a delivery too many.
--   * Two contents of one identity may have one hash: by chance once in 18 quintillion conflicts. Whoever tries can make two such
--     contents of an event of his own. The second is then taken for a repetition of the first and not for a conflict; it does not
--     count in either case, and the first does.
--   * Both at once, two events of which both hashes agree, is what a hash of 16 bytes is: not by chance, and 2⁶⁴ attempts for whoever tries.
--
-- The order of the statements: first events lose the column, so that a process of an older version, which may be at work yet,
-- cannot store a batch and note its contents where nobody looks any more. Its batches stay on the stream.
ALTER TABLE events DROP COLUMN IF EXISTS fingerprint;

-- One row for each content that was ever delivered under an identity, with the lowest sequence that carried it. The merges of
-- events drop what does not count; here nothing is lost, so that whoever looks last sees all contents of an identity, in
-- whatever order and by however many writers they were stored.
--
-- The bytes: an identity beside the next greater one shares its first bits, which Delta and T64 leave out (6 of 8 bytes stay in
-- a table of a million rows); a fingerprint is random; of a sequence T64 leaves out the bits that a block shares.
CREATE TABLE IF NOT EXISTS content_hashes
(
    identity UInt64 COMMENT '标识散列: first 8 bytes of the SHA-256 of event_id, the least significant first' CODEC(Delta, T64('bit'), LZ4),
    fingerprint UInt64 COMMENT '指纹散列: first 8 bytes of the hash of the whole event as parsed JSON, likewise' CODEC(NONE),
    stream_seq SimpleAggregateFunction(min, UInt64) COMMENT '流序号: of the first delivery with this content' CODEC(T64, LZ4)
)
ENGINE = AggregatingMergeTree
ORDER BY (identity, fingerprint)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '投递内容散列: every distinct content that was delivered, by its hash';

INSERT INTO content_hashes (identity, fingerprint, stream_seq)
SELECT reinterpretAsUInt64(substring(identity, 1, 8)), reinterpretAsUInt64(substring(fingerprint, 1, 8)), stream_seq FROM contents;
