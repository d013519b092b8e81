-- Who did what (审计). The audit is a stream that refuses to delete; this table is the consumers' copy of it, for SQL. A record
-- of an act that must not happen unseen is written when it is begun and again when it has ended: the later one, of the greater
-- sequence, takes the place of the earlier.
CREATE TABLE IF NOT EXISTS audit_records
(
    at DateTime64(3, 'Asia/Shanghai') COMMENT '时间: when it was begun',
    id String COMMENT '记录编号: of what was done',
    audit_seq UInt64 COMMENT '审计流序号: place on the audit''s stream',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took the record',
    action LowCardinality(String) COMMENT '操作: publish, import, token.create, token.revoke, bulletin.publish, assessment.finalise, deadletter.resend …',
    actor String COMMENT '操作者: role and id of the token, or http and the address where there are no tokens',
    name String COMMENT '令牌名称: what people call the token',
    remote String COMMENT '来源地址: the request came from there',
    result LowCardinality(String) COMMENT '结果: done, refused, failed; begun when the server ended in between',
    status UInt16 COMMENT '应答状态: HTTP status of the answer; 0 for publishing',
    code LowCardinality(String) COMMENT '错误代码: of the last error, else empty',
    target String COMMENT '对象: what was acted on, such as a token, a period or a sequence',
    requests UInt64 COMMENT '请求数: how many requests the record stands for',
    published UInt64 COMMENT '新增事件数: events that are new on the stream',
    duplicates UInt64 COMMENT '重复事件数: events that the stream had already',
    refused UInt64 COMMENT '拒收事件数: events that were refused',
    first_seq UInt64 COMMENT '首个流序号: least sequence of the new events; 0 for none',
    last_seq UInt64 COMMENT '末个流序号: greatest sequence of the new events; 0 for none'
)
ENGINE = ReplacingMergeTree(audit_seq)
ORDER BY (at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '审计明细: rows of audit';

CREATE VIEW IF NOT EXISTS audit
(
    at DateTime64(3, 'Asia/Shanghai') COMMENT '时间: when it was begun',
    id String COMMENT '记录编号: of what was done',
    audit_seq UInt64 COMMENT '审计流序号: place on the audit''s stream',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took the record',
    action String COMMENT '操作: publish, import, token.create, token.revoke, bulletin.publish, assessment.finalise, deadletter.resend …',
    actor String COMMENT '操作者: role and id of the token, or http and the address where there are no tokens',
    name String COMMENT '令牌名称: what people call the token',
    remote String COMMENT '来源地址: the request came from there',
    result String COMMENT '结果: done, refused, failed; begun when the server ended in between',
    status UInt16 COMMENT '应答状态: HTTP status of the answer; 0 for publishing',
    code String COMMENT '错误代码: of the last error, else empty',
    target String COMMENT '对象: what was acted on, such as a token, a period or a sequence',
    requests UInt64 COMMENT '请求数: how many requests the record stands for',
    published UInt64 COMMENT '新增事件数: events that are new on the stream',
    duplicates UInt64 COMMENT '重复事件数: events that the stream had already',
    refused UInt64 COMMENT '拒收事件数: events that were refused',
    first_seq UInt64 COMMENT '首个流序号: least sequence of the new events; 0 for none',
    last_seq UInt64 COMMENT '末个流序号: greatest sequence of the new events; 0 for none'
)
AS SELECT at, id, audit_seq, recorded_at, action, actor, name, remote, result, status, code, target, requests, published, duplicates, refused, first_seq, last_seq
FROM audit_records FINAL
COMMENT '审计: who did what, when, from where, with which result';
