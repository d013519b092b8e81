-- ledger_current is refreshed by difference: rows of projects about which nothing came are not written again. How far all of
-- them are is noted here, so that known_seq says of each row what it always said.
CREATE TABLE IF NOT EXISTS ledger_current_known
(
    known_seq UInt64 COMMENT '已知序号: the stream sequence S that the current ledger is made at',
    refreshed_at DateTime64(3, 'Asia/Shanghai') COMMENT '更新时间: when'
)
ENGINE = ReplacingMergeTree(known_seq)
ORDER BY tuple()
COMMENT '当前台账进度: how far ledger_current is';

CREATE OR REPLACE VIEW ledger_current
(
    project_id String COMMENT '项目编号: project id',
    name String COMMENT '项目名称: name',
    enterprise Nullable(String) COMMENT '企业: enterprise',
    industry Nullable(String) COMMENT '行业: industry',
    tags Array(String) COMMENT '标签: tags',
    district LowCardinality(String) COMMENT '县(市)区: district code',
    lead Nullable(String) COMMENT '市级领导: lead on as_of',
    department Nullable(String) COMMENT '市直部门: department on as_of',
    registered_on Date32 COMMENT '入库日期: registered on',
    total_investment Decimal(18, 2) COMMENT '总投资: total investment, 万元',
    stage LowCardinality(String) COMMENT '阶段: highest milestone reached',
    status LowCardinality(String) COMMENT '进展状态: status',
    light LowCardinality(String) COMMENT '亮灯: light',
    suspended Bool COMMENT '停缓建: suspended',
    cancelled Bool COMMENT '已取消: cancelled',
    unreported Bool COMMENT '应报未报: report of the reporting month missing',
    landed_baseline Nullable(Date32) COMMENT '落地基准: first plan',
    landed_target Nullable(Date32) COMMENT '落地目标: latest approved plan',
    landed_forecast Nullable(Date32) COMMENT '落地预计: latest plan',
    landed_reached_on Nullable(Date32) COMMENT '落地日期: reached on',
    landed_late_days Nullable(Int32) COMMENT '落地延误天数: days after the target',
    landed_overdue_months Int32 COMMENT '落地逾期月数: month ends missed',
    started_baseline Nullable(Date32) COMMENT '开工基准: first plan',
    started_target Nullable(Date32) COMMENT '开工目标: latest approved plan',
    started_forecast Nullable(Date32) COMMENT '开工预计: latest plan',
    started_reached_on Nullable(Date32) COMMENT '开工日期: reached on',
    started_late_days Nullable(Int32) COMMENT '开工延误天数: days after the target',
    started_overdue_months Int32 COMMENT '开工逾期月数: month ends missed',
    producing_baseline Nullable(Date32) COMMENT '投产基准: first plan',
    producing_target Nullable(Date32) COMMENT '投产目标: latest approved plan',
    producing_forecast Nullable(Date32) COMMENT '投产预计: latest plan',
    producing_reached_on Nullable(Date32) COMMENT '投产日期: reached on',
    producing_late_days Nullable(Int32) COMMENT '投产延误天数: days after the target',
    producing_overdue_months Int32 COMMENT '投产逾期月数: month ends missed',
    plan Decimal(18, 2) COMMENT '年度计划: plan of the year of the reporting month, 万元',
    invested Nullable(Decimal(18, 2)) COMMENT '累计完成投资: invested in that year, 万元; NULL: never reported',
    rate Nullable(Decimal(18, 1)) COMMENT '投资完成率: invested ÷ plan, per cent',
    method Map(String, Nullable(Bool)) COMMENT '七个一: item: satisfied, not, or NULL when not applicable',
    completeness Nullable(Decimal(18, 1)) COMMENT '七个一完成度: satisfied ÷ applicable, per cent',
    open_issues Int32 COMMENT '未销号问题: issues not resolved',
    overdue_issues Int32 COMMENT '逾期问题: issues past their deadline',
    as_of Date32 COMMENT '截止日期: the day E',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S'
)
AS SELECT project_id, name, enterprise, industry, tags, district, lead, department, registered_on, total_investment, stage, status, light, suspended, cancelled, unreported, landed_baseline, landed_target, landed_forecast, landed_reached_on, landed_late_days, landed_overdue_months, started_baseline, started_target, started_forecast, started_reached_on, started_late_days, started_overdue_months, producing_baseline, producing_target, producing_forecast, producing_reached_on, producing_late_days, producing_overdue_months, plan, invested, rate, method, completeness, open_issues, overdue_issues, as_of,
    greatest(known_seq, (SELECT max(known_seq) FROM ledger_current_known)) AS known_seq
FROM ledger_current_rows FINAL
WHERE NOT removed
COMMENT '当前台账: the ledger of today';

-- What came after a sequence lies in the parts that were written last, and a project's events in few granules. Parts that are
-- there get these indexes when they are merged.
ALTER TABLE events
    ADD INDEX IF NOT EXISTS sequences stream_seq TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS projects project_id TYPE bloom_filter(0.01) GRANULARITY 1;
