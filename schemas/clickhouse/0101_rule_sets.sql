-- The rule sets that ledgers and editions were made with, so that an edition can be made again years later.
CREATE TABLE IF NOT EXISTS rule_sets
(
    hash String COMMENT '规则哈希: SHA-256 of the JSON, in hexadecimal',
    rules String COMMENT '规则: the rule set as JSON' CODEC(ZSTD(3)),
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: first seen'
)
ENGINE = ReplacingMergeTree
ORDER BY hash
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '规则集: rule sets by hash';
