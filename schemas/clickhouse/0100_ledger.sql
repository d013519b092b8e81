-- The judged ledger, row by row, where analysts query it. The rules are judged in one place (the same code that
-- makes the bulletins); what it judged is stored here, so a SELECT and a bulletin can never differ.

-- The ledger of today as far as it is known; refreshed as events arrive.
CREATE TABLE IF NOT EXISTS ledger_current_rows
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
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    removed Bool COMMENT '不再登记: no longer in the ledger (its registration was revoked)'
)
ENGINE = ReplacingMergeTree(known_seq)
ORDER BY project_id
COMMENT '当前台账明细: rows of ledger_current';

-- Ledgers that were asked for at one (as_of, known_seq), or belong to an edition. A cut's rows are complete when the
-- cut stands in ledger_cuts, which is written after them and expires before them.
CREATE TABLE IF NOT EXISTS ledger_rows
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
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at',
    expires_at DateTime('Asia/Shanghai') COMMENT '到期时间: removed after'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (as_of, known_seq, project_id)
TTL expires_at + INTERVAL 1 DAY
COMMENT '台账快照明细: rows of ledger(as_of, known)';

CREATE TABLE IF NOT EXISTS ledger_cuts
(
    as_of Date32 COMMENT '截止日期: the day E',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    rules_hash String COMMENT '规则哈希: hash of the rule set',
    projects UInt64 COMMENT '项目数: number of rows',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at',
    expires_at DateTime('Asia/Shanghai') COMMENT '到期时间: no longer answered after'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (as_of, known_seq)
TTL expires_at + INTERVAL 1 DAY
COMMENT '台账快照: which ledgers are stored';

CREATE VIEW IF NOT EXISTS ledger_current
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
AS SELECT project_id, name, enterprise, industry, tags, district, lead, department, registered_on, total_investment, stage, status, light, suspended, cancelled, unreported, landed_baseline, landed_target, landed_forecast, landed_reached_on, landed_late_days, landed_overdue_months, started_baseline, started_target, started_forecast, started_reached_on, started_late_days, started_overdue_months, producing_baseline, producing_target, producing_forecast, producing_reached_on, producing_late_days, producing_overdue_months, plan, invested, rate, method, completeness, open_issues, overdue_issues, as_of, known_seq
FROM ledger_current_rows FINAL
WHERE NOT removed
COMMENT '当前台账: the ledger of today';

-- ledger(as_of = '2025-10-31', known = 1234): the state of every project as of a day, using what was known at a stream
-- sequence. A cut that is not stored is an error that says so, never an empty answer.
CREATE VIEW IF NOT EXISTS ledger
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
AS WITH (
    SELECT throwIf(count() = 0, concat('ledger not stored: as_of=', toString({as_of:Date32}), ' known=', toString({known:UInt64}),
        '; the sequence is past what is applied, or this endpoint does not make ledgers (milepost query does)'))
    FROM ledger_cuts
    WHERE as_of = {as_of:Date32} AND known_seq = {known:UInt64} AND expires_at > now()
) AS missing
SELECT project_id, name, enterprise, industry, tags, district, lead, department, registered_on, total_investment, stage, status, light, suspended, cancelled, unreported, landed_baseline, landed_target, landed_forecast, landed_reached_on, landed_late_days, landed_overdue_months, started_baseline, started_target, started_forecast, started_reached_on, started_late_days, started_overdue_months, producing_baseline, producing_target, producing_forecast, producing_reached_on, producing_late_days, producing_overdue_months, plan, invested, rate, method, completeness, open_issues, overdue_issues, as_of, known_seq
FROM ledger_rows FINAL
WHERE as_of = {as_of:Date32} AND known_seq = {known:UInt64} AND missing = 0
COMMENT '台账: the ledger as of a day and as known at a stream sequence';
