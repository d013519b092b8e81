-- What became of each edition: withdrawals and corrections beside what was published.
CREATE OR REPLACE VIEW published_editions
(
    kind String COMMENT '类别: week, month, quarter, half, year or assessment',
    period String COMMENT '期间: of the bulletin, or the assessed year',
    issue_no Int32 COMMENT '期号: 第 n 期 of the kind and year',
    published_seq UInt64 COMMENT '发布序号: stream sequence of the publication',
    published_at DateTime64(3, 'Asia/Shanghai') COMMENT '发布时间: time of the publication',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S that the edition was made at',
    rules_hash String COMMENT '规则哈希: hash of the rule set that the edition was made with',
    files Array(Tuple(name String, sha256 String)) COMMENT '文件: names and SHA-256 of the edition''s files',
    remarks String COMMENT '备注: remarks of the publication',
    state String COMMENT '状态: published (it stands), corrected (a 更正 replaced it) or withdrawn (撤回, its number stays used)',
    corrects Nullable(Int32) COMMENT '更正期号: number of the edition of the same period that this one corrects; NULL for the first',
    replaced_by Nullable(Int32) COMMENT '被更正期号: number of the edition that corrects this one; NULL while there is none',
    withdrawn_at Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '撤回时间: when it was withdrawn; NULL while it was not',
    withdrawal_reason Nullable(String) COMMENT '撤回原因: why it was withdrawn; NULL while it was not'
)
AS SELECT
    kind, period, issue_no, published_seq, published_at, known_seq, rules_hash, files, remarks,
    multiIf(withdrawn_at IS NOT NULL, 'withdrawn', replaced_by IS NOT NULL, 'corrected', 'published') AS state,
    corrects, replaced_by, withdrawn_at, withdrawal_reason
FROM
(
    SELECT
        kind, period, issue_no, published_seq, published_at, known_seq, rules_hash, files, remarks,
        lagInFrame(toNullable(issue_no)) OVER (PARTITION BY kind, period ORDER BY issue_no, published_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS corrects,
        leadInFrame(toNullable(issue_no)) OVER (PARTITION BY kind, period ORDER BY issue_no, published_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS replaced_by
    FROM
    (
        SELECT
            JSONExtractString(data, 'kind') AS kind, JSONExtractString(data, 'period') AS period, toInt32(JSONExtractInt(data, 'number')) AS issue_no,
            stream_seq AS published_seq, occurred_at AS published_at, JSONExtractUInt(data, 'known_seq') AS known_seq,
            JSONExtractString(data, 'rules_hash') AS rules_hash, JSONExtract(data, 'files', 'Array(Tuple(name String, sha256 String))') AS files,
            JSONExtractString(data, 'remarks') AS remarks
        FROM events FINAL
        WHERE type IN ('bulletin.published.v1', 'assessment.finalised.v1') AND district = 'city'
    )
) AS editions
LEFT JOIN
(
    SELECT
        JSONExtractString(data, 'kind') AS kind, JSONExtractString(data, 'period') AS period, toInt32(JSONExtractInt(data, 'number')) AS issue_no,
        toNullable(argMin(occurred_at, stream_seq)) AS withdrawn_at, toNullable(argMin(JSONExtractString(data, 'remarks'), stream_seq)) AS withdrawal_reason
    FROM events FINAL
    WHERE type = 'bulletin.withdrawn.v1' AND district = 'city'
    GROUP BY kind, period, issue_no
) AS tombstones USING (kind, period, issue_no)
COMMENT '已发布版本: every published bulletin and finalised assessment, and what became of it';
