-- The figures of bulletins and assessments, row by row, where analysts query them. They are made by the same code that
-- makes the printed editions and stored here, so a SELECT and an edition can never differ. All amounts are exact decimals.
--
-- The views take parameters: figures(period = '2025-10', known = 1234), assessment(year = 2025, known = 1234). What is not
-- stored is an error that names it, never an empty answer; whoever serves the endpoint makes it and runs the statement
-- again. The columns of a view with parameters are not in system.columns: SHOW CREATE TABLE figures shows them with their
-- comments, and the table of its rows, such as figure_rows, lists the same ones.

-- Which models are stored. A model's rows are complete when it stands here, which is written after them and expires
-- before them. Rows under other rules have another hash, and are not what the newest entry points to.
CREATE TABLE IF NOT EXISTS model_cuts
(
    model LowCardinality(String) COMMENT '模型: bulletin or assessment',
    period String COMMENT '期间: of the bulletin, or the assessed year',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    rules_hash String COMMENT '规则哈希: hash of the rule set',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at',
    expires_at DateTime('Asia/Shanghai') COMMENT '到期时间: no longer answered after'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (model, period, known_seq, rules_hash)
TTL expires_at + INTERVAL 1 DAY
COMMENT '模型快照: which bulletins and assessments are stored';

CREATE TABLE IF NOT EXISTS figure_rows
(
    path String COMMENT '指标路径: as in restatements, such as groups/district/county/xiuwu/score',
    value String COMMENT '指标值: as JSON prints it, texts in quotes; JSONExtractString(value) gives the bare text',
    number Nullable(Decimal(38, 4)) COMMENT '数值: the value when it is a number, exact',
    period String COMMENT '期间: such as 2025-W40, 2025-10, 2025-Q4, 2025-H2 or 2025',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    rules_hash String COMMENT '规则哈希: hash of the rule set',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at',
    expires_at DateTime('Asia/Shanghai') COMMENT '到期时间: removed a day after'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (period, known_seq, rules_hash, path)
TTL expires_at + INTERVAL 1 DAY
COMMENT '通报指标明细: rows of figures(period, known)';

CREATE TABLE IF NOT EXISTS ranking_rows
(
    kind LowCardinality(String) COMMENT '类别: district, department or lead',
    group Nullable(String) COMMENT '组别: code of the district group; NULL for departments and leads',
    key String COMMENT '编号: district code, or the directory''s name of the department or lead',
    name String COMMENT '名称: name as printed',
    projects Int32 COMMENT '项目数: projects held on the last day',
    score Nullable(Decimal(20, 2)) COMMENT '得分: 0 to 100; NULL when nothing applies',
    rank Nullable(Int32) COMMENT '名次: by score within the group; NULL: not ranked',
    rank_change Nullable(Int32) COMMENT '名次变化: rank one period before − rank now; positive is better',
    completeness Nullable(Decimal(20, 1)) COMMENT '七个一完成度: mean over the projects, per cent',
    reports_due Int32 COMMENT '应报月报: reports due in the year',
    reports_on_time Int32 COMMENT '按时月报: reports on time',
    plan Decimal(20, 2) COMMENT '年度计划: plan of the year, 万元',
    invested Nullable(Decimal(20, 2)) COMMENT '累计完成投资: invested in the year, 万元; NULL: never reported',
    rate Nullable(Decimal(20, 1)) COMMENT '投资完成率: invested ÷ plan, per cent',
    time_progress Nullable(Decimal(20, 1)) COMMENT '时序进度: months elapsed ÷ 12, per cent',
    vs_time Nullable(Decimal(20, 1)) COMMENT '较时序: rate − time progress, percentage points',
    landed_due_year Int32 COMMENT '落地年度任务: targets of the year',
    landed_due_to_date Int32 COMMENT '落地到期任务: targets up to the last day',
    landed_done Int32 COMMENT '落地完成: reached in the year',
    landed_on_time Int32 COMMENT '落地按期完成: reached by the target',
    landed_late Int32 COMMENT '落地超期完成: reached after the target',
    landed_judged Int32 COMMENT '落地考核数: due to date or done',
    landed_new_in_period Int32 COMMENT '落地本期新增: reached in the period',
    landed_rate_to_date Nullable(Decimal(20, 1)) COMMENT '落地到期完成率: done ÷ due to date, per cent',
    landed_rate_year Nullable(Decimal(20, 1)) COMMENT '落地年度完成率: done ÷ due in the year, per cent',
    started_due_year Int32 COMMENT '开工年度任务: targets of the year',
    started_due_to_date Int32 COMMENT '开工到期任务: targets up to the last day',
    started_done Int32 COMMENT '开工完成: reached in the year',
    started_on_time Int32 COMMENT '开工按期完成: reached by the target',
    started_late Int32 COMMENT '开工超期完成: reached after the target',
    started_judged Int32 COMMENT '开工考核数: due to date or done',
    started_new_in_period Int32 COMMENT '开工本期新增: reached in the period',
    started_rate_to_date Nullable(Decimal(20, 1)) COMMENT '开工到期完成率: done ÷ due to date, per cent',
    started_rate_year Nullable(Decimal(20, 1)) COMMENT '开工年度完成率: done ÷ due in the year, per cent',
    producing_due_year Int32 COMMENT '投产年度任务: targets of the year',
    producing_due_to_date Int32 COMMENT '投产到期任务: targets up to the last day',
    producing_done Int32 COMMENT '投产完成: reached in the year',
    producing_on_time Int32 COMMENT '投产按期完成: reached by the target',
    producing_late Int32 COMMENT '投产超期完成: reached after the target',
    producing_judged Int32 COMMENT '投产考核数: due to date or done',
    producing_new_in_period Int32 COMMENT '投产本期新增: reached in the period',
    producing_rate_to_date Nullable(Decimal(20, 1)) COMMENT '投产到期完成率: done ÷ due to date, per cent',
    producing_rate_year Nullable(Decimal(20, 1)) COMMENT '投产年度完成率: done ÷ due in the year, per cent',
    period String COMMENT '期间: such as 2025-W40, 2025-10, 2025-Q4, 2025-H2 or 2025',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    rules_hash String COMMENT '规则哈希: hash of the rule set',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at',
    expires_at DateTime('Asia/Shanghai') COMMENT '到期时间: removed a day after'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (period, known_seq, rules_hash, kind, key)
TTL expires_at + INTERVAL 1 DAY
COMMENT '排名明细: rows of rankings(period, known)';

CREATE TABLE IF NOT EXISTS assessment_rows
(
    kind LowCardinality(String) COMMENT '类别: district, department or lead',
    group Nullable(String) COMMENT '组别: code of the district group; NULL for departments and leads',
    key String COMMENT '编号: district code, or the directory''s name of the department or lead',
    name String COMMENT '名称: name as printed',
    projects Int32 COMMENT '项目数: projects held on the last day',
    score Nullable(Decimal(20, 2)) COMMENT '得分: 0 to 100; NULL when nothing applies',
    bonus Nullable(Decimal(20, 2)) COMMENT '加分: for milestones done well before baseline and target',
    penalty Nullable(Decimal(20, 2)) COMMENT '扣分: for starts long overdue, not above 0',
    adjustment Nullable(Decimal(20, 2)) COMMENT '调整分: sum of the recorded adjustments',
    veto Bool COMMENT '一票否决: an adjustment vetoes',
    final Nullable(Decimal(20, 2)) COMMENT '最终得分: score, bonus, penalty and adjustment, not below 0',
    rank Nullable(Int32) COMMENT '名次: by final within the group; NULL: not ranked',
    grade Nullable(String) COMMENT '等次: 优秀, 良好, 合格 or 不合格; NULL: not ranked',
    hints Array(String) COMMENT '提示: reward, explain, accountability; a person decides',
    hint_reasons Map(String, String) COMMENT '提示理由: reason of each hint',
    completeness Nullable(Decimal(20, 1)) COMMENT '七个一完成度: mean over the projects, per cent',
    reports_due Int32 COMMENT '应报月报: reports due in the year',
    reports_on_time Int32 COMMENT '按时月报: reports on time',
    plan Decimal(20, 2) COMMENT '年度计划: plan of the year, 万元',
    invested Nullable(Decimal(20, 2)) COMMENT '累计完成投资: invested in the year, 万元; NULL: never reported',
    rate Nullable(Decimal(20, 1)) COMMENT '投资完成率: invested ÷ plan, per cent',
    time_progress Nullable(Decimal(20, 1)) COMMENT '时序进度: months elapsed ÷ 12, per cent',
    vs_time Nullable(Decimal(20, 1)) COMMENT '较时序: rate − time progress, percentage points',
    landed_due_year Int32 COMMENT '落地年度任务: targets of the year',
    landed_due_to_date Int32 COMMENT '落地到期任务: targets up to the last day',
    landed_done Int32 COMMENT '落地完成: reached in the year',
    landed_on_time Int32 COMMENT '落地按期完成: reached by the target',
    landed_late Int32 COMMENT '落地超期完成: reached after the target',
    landed_judged Int32 COMMENT '落地考核数: due to date or done',
    landed_new_in_period Int32 COMMENT '落地本期新增: reached in the period',
    landed_rate_to_date Nullable(Decimal(20, 1)) COMMENT '落地到期完成率: done ÷ due to date, per cent',
    landed_rate_year Nullable(Decimal(20, 1)) COMMENT '落地年度完成率: done ÷ due in the year, per cent',
    started_due_year Int32 COMMENT '开工年度任务: targets of the year',
    started_due_to_date Int32 COMMENT '开工到期任务: targets up to the last day',
    started_done Int32 COMMENT '开工完成: reached in the year',
    started_on_time Int32 COMMENT '开工按期完成: reached by the target',
    started_late Int32 COMMENT '开工超期完成: reached after the target',
    started_judged Int32 COMMENT '开工考核数: due to date or done',
    started_new_in_period Int32 COMMENT '开工本期新增: reached in the period',
    started_rate_to_date Nullable(Decimal(20, 1)) COMMENT '开工到期完成率: done ÷ due to date, per cent',
    started_rate_year Nullable(Decimal(20, 1)) COMMENT '开工年度完成率: done ÷ due in the year, per cent',
    producing_due_year Int32 COMMENT '投产年度任务: targets of the year',
    producing_due_to_date Int32 COMMENT '投产到期任务: targets up to the last day',
    producing_done Int32 COMMENT '投产完成: reached in the year',
    producing_on_time Int32 COMMENT '投产按期完成: reached by the target',
    producing_late Int32 COMMENT '投产超期完成: reached after the target',
    producing_judged Int32 COMMENT '投产考核数: due to date or done',
    producing_new_in_period Int32 COMMENT '投产本期新增: reached in the period',
    producing_rate_to_date Nullable(Decimal(20, 1)) COMMENT '投产到期完成率: done ÷ due to date, per cent',
    producing_rate_year Nullable(Decimal(20, 1)) COMMENT '投产年度完成率: done ÷ due in the year, per cent',
    year UInt16 COMMENT '年度: the assessed year',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    rules_hash String COMMENT '规则哈希: hash of the rule set',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at',
    expires_at DateTime('Asia/Shanghai') COMMENT '到期时间: removed a day after'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (year, known_seq, rules_hash, kind, key)
TTL expires_at + INTERVAL 1 DAY
COMMENT '考核明细: rows of assessment(year, known)';

CREATE TABLE IF NOT EXISTS assessment_item_rows
(
    kind LowCardinality(String) COMMENT '类别: district, department or lead',
    group Nullable(String) COMMENT '组别: code of the district group; NULL for departments and leads',
    key String COMMENT '编号: district code, or the directory''s name of the department or lead',
    name String COMMENT '名称: name as printed',
    item LowCardinality(String) COMMENT '考核项: landed, started, producing, ledger or investment',
    weight Int32 COMMENT '权重: weight of the item',
    numerator Nullable(Decimal(20, 2)) COMMENT '分子: what was achieved',
    divisor Nullable(Decimal(20, 2)) COMMENT '分母: what was to be achieved',
    fraction Nullable(Decimal(20, 4)) COMMENT '完成比例: NULL when not applicable',
    points Nullable(Decimal(20, 2)) COMMENT '得分: points of the 100; NULL when not applicable',
    events Array(Tuple(source String, id String)) COMMENT '依据事件: the events that the item rests on, by sequence',
    year UInt16 COMMENT '年度: the assessed year',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S',
    rules_hash String COMMENT '规则哈希: hash of the rule set',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at',
    expires_at DateTime('Asia/Shanghai') COMMENT '到期时间: removed a day after'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (year, known_seq, rules_hash, kind, key, item)
TTL expires_at + INTERVAL 1 DAY
COMMENT '考核项明细: rows of assessment_items(year, known)';

CREATE OR REPLACE VIEW figures
(
    path String COMMENT '指标路径: as in restatements, such as groups/district/county/xiuwu/score',
    value String COMMENT '指标值: as JSON prints it, texts in quotes; JSONExtractString(value) gives the bare text',
    number Nullable(Decimal(38, 4)) COMMENT '数值: the value when it is a number, exact',
    period String COMMENT '期间: such as 2025-W40, 2025-10, 2025-Q4, 2025-H2 or 2025',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S'
)
AS WITH (
    SELECT if(throwIf(count() = 0, if(match({period:String}, '^[0-9]{4}(-(0[1-9]|1[0-2]|W(0[1-9]|[1-4][0-9]|5[0-3])|Q[1-4]|H[12]))?$'),
        concat('bulletin not stored: period=', {period:String}, ' known=', toString({known:UInt64}),
            '; the sequence is past what is applied, there is no such week, or this endpoint does not make bulletins (milepost query does)'),
        concat('period: not a period (got ', {period:String}, '); write 2026-W40, 2026-10, 2026-Q4, 2026-H2 or 2026'))) = 0, argMax(rules_hash, stored_at), '')
    FROM model_cuts
    WHERE model = 'bulletin' AND period = {period:String} AND known_seq = {known:UInt64} AND expires_at > now()
) AS stored_under
SELECT path, value, number, period, known_seq
FROM figure_rows FINAL
WHERE period = {period:String} AND known_seq = {known:UInt64} AND rules_hash = stored_under
COMMENT '通报指标: every figure of the bulletin of a period, as known at a stream sequence';

CREATE OR REPLACE VIEW rankings
(
    kind String COMMENT '类别: district, department or lead',
    group Nullable(String) COMMENT '组别: code of the district group; NULL for departments and leads',
    key String COMMENT '编号: district code, or the directory''s name of the department or lead',
    name String COMMENT '名称: name as printed',
    projects Int32 COMMENT '项目数: projects held on the last day',
    score Nullable(Decimal(20, 2)) COMMENT '得分: 0 to 100; NULL when nothing applies',
    rank Nullable(Int32) COMMENT '名次: by score within the group; NULL: not ranked',
    rank_change Nullable(Int32) COMMENT '名次变化: rank one period before − rank now; positive is better',
    completeness Nullable(Decimal(20, 1)) COMMENT '七个一完成度: mean over the projects, per cent',
    reports_due Int32 COMMENT '应报月报: reports due in the year',
    reports_on_time Int32 COMMENT '按时月报: reports on time',
    plan Decimal(20, 2) COMMENT '年度计划: plan of the year, 万元',
    invested Nullable(Decimal(20, 2)) COMMENT '累计完成投资: invested in the year, 万元; NULL: never reported',
    rate Nullable(Decimal(20, 1)) COMMENT '投资完成率: invested ÷ plan, per cent',
    time_progress Nullable(Decimal(20, 1)) COMMENT '时序进度: months elapsed ÷ 12, per cent',
    vs_time Nullable(Decimal(20, 1)) COMMENT '较时序: rate − time progress, percentage points',
    landed_due_year Int32 COMMENT '落地年度任务: targets of the year',
    landed_due_to_date Int32 COMMENT '落地到期任务: targets up to the last day',
    landed_done Int32 COMMENT '落地完成: reached in the year',
    landed_on_time Int32 COMMENT '落地按期完成: reached by the target',
    landed_late Int32 COMMENT '落地超期完成: reached after the target',
    landed_judged Int32 COMMENT '落地考核数: due to date or done',
    landed_new_in_period Int32 COMMENT '落地本期新增: reached in the period',
    landed_rate_to_date Nullable(Decimal(20, 1)) COMMENT '落地到期完成率: done ÷ due to date, per cent',
    landed_rate_year Nullable(Decimal(20, 1)) COMMENT '落地年度完成率: done ÷ due in the year, per cent',
    started_due_year Int32 COMMENT '开工年度任务: targets of the year',
    started_due_to_date Int32 COMMENT '开工到期任务: targets up to the last day',
    started_done Int32 COMMENT '开工完成: reached in the year',
    started_on_time Int32 COMMENT '开工按期完成: reached by the target',
    started_late Int32 COMMENT '开工超期完成: reached after the target',
    started_judged Int32 COMMENT '开工考核数: due to date or done',
    started_new_in_period Int32 COMMENT '开工本期新增: reached in the period',
    started_rate_to_date Nullable(Decimal(20, 1)) COMMENT '开工到期完成率: done ÷ due to date, per cent',
    started_rate_year Nullable(Decimal(20, 1)) COMMENT '开工年度完成率: done ÷ due in the year, per cent',
    producing_due_year Int32 COMMENT '投产年度任务: targets of the year',
    producing_due_to_date Int32 COMMENT '投产到期任务: targets up to the last day',
    producing_done Int32 COMMENT '投产完成: reached in the year',
    producing_on_time Int32 COMMENT '投产按期完成: reached by the target',
    producing_late Int32 COMMENT '投产超期完成: reached after the target',
    producing_judged Int32 COMMENT '投产考核数: due to date or done',
    producing_new_in_period Int32 COMMENT '投产本期新增: reached in the period',
    producing_rate_to_date Nullable(Decimal(20, 1)) COMMENT '投产到期完成率: done ÷ due to date, per cent',
    producing_rate_year Nullable(Decimal(20, 1)) COMMENT '投产年度完成率: done ÷ due in the year, per cent',
    period String COMMENT '期间: such as 2025-W40, 2025-10, 2025-Q4, 2025-H2 or 2025',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S'
)
AS WITH (
    SELECT if(throwIf(count() = 0, if(match({period:String}, '^[0-9]{4}(-(0[1-9]|1[0-2]|W(0[1-9]|[1-4][0-9]|5[0-3])|Q[1-4]|H[12]))?$'),
        concat('bulletin not stored: period=', {period:String}, ' known=', toString({known:UInt64}),
            '; the sequence is past what is applied, there is no such week, or this endpoint does not make bulletins (milepost query does)'),
        concat('period: not a period (got ', {period:String}, '); write 2026-W40, 2026-10, 2026-Q4, 2026-H2 or 2026'))) = 0, argMax(rules_hash, stored_at), '')
    FROM model_cuts
    WHERE model = 'bulletin' AND period = {period:String} AND known_seq = {known:UInt64} AND expires_at > now()
) AS stored_under
SELECT kind, group, key, name, projects, score, rank, rank_change, completeness, reports_due, reports_on_time, plan, invested, rate, time_progress, vs_time, landed_due_year, landed_due_to_date, landed_done, landed_on_time, landed_late, landed_judged, landed_new_in_period, landed_rate_to_date, landed_rate_year, started_due_year, started_due_to_date, started_done, started_on_time, started_late, started_judged, started_new_in_period, started_rate_to_date, started_rate_year, producing_due_year, producing_due_to_date, producing_done, producing_on_time, producing_late, producing_judged, producing_new_in_period, producing_rate_to_date, producing_rate_year, period, known_seq
FROM ranking_rows FINAL
WHERE period = {period:String} AND known_seq = {known:UInt64} AND rules_hash = stored_under
COMMENT '排名: every row of the groups of a bulletin, as known at a stream sequence';

CREATE OR REPLACE VIEW assessment
(
    kind String COMMENT '类别: district, department or lead',
    group Nullable(String) COMMENT '组别: code of the district group; NULL for departments and leads',
    key String COMMENT '编号: district code, or the directory''s name of the department or lead',
    name String COMMENT '名称: name as printed',
    projects Int32 COMMENT '项目数: projects held on the last day',
    score Nullable(Decimal(20, 2)) COMMENT '得分: 0 to 100; NULL when nothing applies',
    bonus Nullable(Decimal(20, 2)) COMMENT '加分: for milestones done well before baseline and target',
    penalty Nullable(Decimal(20, 2)) COMMENT '扣分: for starts long overdue, not above 0',
    adjustment Nullable(Decimal(20, 2)) COMMENT '调整分: sum of the recorded adjustments',
    veto Bool COMMENT '一票否决: an adjustment vetoes',
    final Nullable(Decimal(20, 2)) COMMENT '最终得分: score, bonus, penalty and adjustment, not below 0',
    rank Nullable(Int32) COMMENT '名次: by final within the group; NULL: not ranked',
    grade Nullable(String) COMMENT '等次: 优秀, 良好, 合格 or 不合格; NULL: not ranked',
    hints Array(String) COMMENT '提示: reward, explain, accountability; a person decides',
    hint_reasons Map(String, String) COMMENT '提示理由: reason of each hint',
    completeness Nullable(Decimal(20, 1)) COMMENT '七个一完成度: mean over the projects, per cent',
    reports_due Int32 COMMENT '应报月报: reports due in the year',
    reports_on_time Int32 COMMENT '按时月报: reports on time',
    plan Decimal(20, 2) COMMENT '年度计划: plan of the year, 万元',
    invested Nullable(Decimal(20, 2)) COMMENT '累计完成投资: invested in the year, 万元; NULL: never reported',
    rate Nullable(Decimal(20, 1)) COMMENT '投资完成率: invested ÷ plan, per cent',
    time_progress Nullable(Decimal(20, 1)) COMMENT '时序进度: months elapsed ÷ 12, per cent',
    vs_time Nullable(Decimal(20, 1)) COMMENT '较时序: rate − time progress, percentage points',
    landed_due_year Int32 COMMENT '落地年度任务: targets of the year',
    landed_due_to_date Int32 COMMENT '落地到期任务: targets up to the last day',
    landed_done Int32 COMMENT '落地完成: reached in the year',
    landed_on_time Int32 COMMENT '落地按期完成: reached by the target',
    landed_late Int32 COMMENT '落地超期完成: reached after the target',
    landed_judged Int32 COMMENT '落地考核数: due to date or done',
    landed_new_in_period Int32 COMMENT '落地本期新增: reached in the period',
    landed_rate_to_date Nullable(Decimal(20, 1)) COMMENT '落地到期完成率: done ÷ due to date, per cent',
    landed_rate_year Nullable(Decimal(20, 1)) COMMENT '落地年度完成率: done ÷ due in the year, per cent',
    started_due_year Int32 COMMENT '开工年度任务: targets of the year',
    started_due_to_date Int32 COMMENT '开工到期任务: targets up to the last day',
    started_done Int32 COMMENT '开工完成: reached in the year',
    started_on_time Int32 COMMENT '开工按期完成: reached by the target',
    started_late Int32 COMMENT '开工超期完成: reached after the target',
    started_judged Int32 COMMENT '开工考核数: due to date or done',
    started_new_in_period Int32 COMMENT '开工本期新增: reached in the period',
    started_rate_to_date Nullable(Decimal(20, 1)) COMMENT '开工到期完成率: done ÷ due to date, per cent',
    started_rate_year Nullable(Decimal(20, 1)) COMMENT '开工年度完成率: done ÷ due in the year, per cent',
    producing_due_year Int32 COMMENT '投产年度任务: targets of the year',
    producing_due_to_date Int32 COMMENT '投产到期任务: targets up to the last day',
    producing_done Int32 COMMENT '投产完成: reached in the year',
    producing_on_time Int32 COMMENT '投产按期完成: reached by the target',
    producing_late Int32 COMMENT '投产超期完成: reached after the target',
    producing_judged Int32 COMMENT '投产考核数: due to date or done',
    producing_new_in_period Int32 COMMENT '投产本期新增: reached in the period',
    producing_rate_to_date Nullable(Decimal(20, 1)) COMMENT '投产到期完成率: done ÷ due to date, per cent',
    producing_rate_year Nullable(Decimal(20, 1)) COMMENT '投产年度完成率: done ÷ due in the year, per cent',
    year UInt16 COMMENT '年度: the assessed year',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S'
)
AS WITH (
    SELECT if(throwIf(count() = 0, if({year:UInt16} BETWEEN 1901 AND 2298,
        concat('assessment not stored: year=', toString({year:UInt16}), ' known=', toString({known:UInt64}),
            '; the sequence is past what is applied, or this endpoint does not make assessments (milepost query does)'),
        concat('year: not a year (got ', toString({year:UInt16}), '); write a year with four digits, such as 2025'))) = 0, argMax(rules_hash, stored_at), '')
    FROM model_cuts
    WHERE model = 'assessment' AND period = toString({year:UInt16}) AND known_seq = {known:UInt64} AND expires_at > now()
) AS stored_under
SELECT kind, group, key, name, projects, score, bonus, penalty, adjustment, veto, final, rank, grade, hints, hint_reasons, completeness, reports_due, reports_on_time, plan, invested, rate, time_progress, vs_time, landed_due_year, landed_due_to_date, landed_done, landed_on_time, landed_late, landed_judged, landed_new_in_period, landed_rate_to_date, landed_rate_year, started_due_year, started_due_to_date, started_done, started_on_time, started_late, started_judged, started_new_in_period, started_rate_to_date, started_rate_year, producing_due_year, producing_due_to_date, producing_done, producing_on_time, producing_late, producing_judged, producing_new_in_period, producing_rate_to_date, producing_rate_year, year, known_seq
FROM assessment_rows FINAL
WHERE year = {year:UInt16} AND known_seq = {known:UInt64} AND rules_hash = stored_under
COMMENT '考核: every row of the assessment of a year, as known at a stream sequence';

CREATE OR REPLACE VIEW assessment_items
(
    kind String COMMENT '类别: district, department or lead',
    group Nullable(String) COMMENT '组别: code of the district group; NULL for departments and leads',
    key String COMMENT '编号: district code, or the directory''s name of the department or lead',
    name String COMMENT '名称: name as printed',
    item String COMMENT '考核项: landed, started, producing, ledger or investment',
    weight Int32 COMMENT '权重: weight of the item',
    numerator Nullable(Decimal(20, 2)) COMMENT '分子: what was achieved',
    divisor Nullable(Decimal(20, 2)) COMMENT '分母: what was to be achieved',
    fraction Nullable(Decimal(20, 4)) COMMENT '完成比例: NULL when not applicable',
    points Nullable(Decimal(20, 2)) COMMENT '得分: points of the 100; NULL when not applicable',
    events Array(Tuple(source String, id String)) COMMENT '依据事件: the events that the item rests on, by sequence',
    year UInt16 COMMENT '年度: the assessed year',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S'
)
AS WITH (
    SELECT if(throwIf(count() = 0, if({year:UInt16} BETWEEN 1901 AND 2298,
        concat('assessment not stored: year=', toString({year:UInt16}), ' known=', toString({known:UInt64}),
            '; the sequence is past what is applied, or this endpoint does not make assessments (milepost query does)'),
        concat('year: not a year (got ', toString({year:UInt16}), '); write a year with four digits, such as 2025'))) = 0, argMax(rules_hash, stored_at), '')
    FROM model_cuts
    WHERE model = 'assessment' AND period = toString({year:UInt16}) AND known_seq = {known:UInt64} AND expires_at > now()
) AS stored_under
SELECT kind, group, key, name, item, weight, numerator, divisor, fraction, points, events, year, known_seq
FROM assessment_item_rows FINAL
WHERE year = {year:UInt16} AND known_seq = {known:UInt64} AND rules_hash = stored_under
COMMENT '考核项: the items of every row of the assessment, with the events behind them';

-- What was printed, for ever: the figures of each published bulletin and finalised assessment, made again from its S and
-- its rules and held against the hash of its file. The events behind an assessment's items are not repeated here.
CREATE TABLE IF NOT EXISTS published_figure_rows
(
    kind LowCardinality(String) COMMENT '类别: week, month, quarter, half, year or assessment',
    period String COMMENT '期间: of the bulletin, or the assessed year',
    issue_no Int32 COMMENT '期号: 第 n 期 of the kind and year',
    published_seq UInt64 COMMENT '发布序号: stream sequence of the publication',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S that the edition was made at',
    rules_hash String COMMENT '规则哈希: hash of the rule set that the edition was made with',
    path String COMMENT '指标路径: as in restatements, such as groups/district/county/xiuwu/score',
    value String COMMENT '指标值: as JSON prints it, texts in quotes; JSONExtractString(value) gives the bare text',
    number Nullable(Decimal(38, 4)) COMMENT '数值: the value when it is a number, exact',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY (kind, period, issue_no, published_seq, path)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '已发布指标明细: rows of published_figures';

-- Which publications have all their rows; written after them.
CREATE TABLE IF NOT EXISTS published_figure_cuts
(
    published_seq UInt64 COMMENT '发布序号: stream sequence of the publication',
    figures UInt64 COMMENT '指标数: number of rows',
    stored_at DateTime64(3, 'Asia/Shanghai') COMMENT '存入时间: stored at'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY published_seq
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '已发布指标快照: which publications have their rows';

CREATE OR REPLACE VIEW published_figures
(
    kind String COMMENT '类别: week, month, quarter, half, year or assessment',
    period String COMMENT '期间: of the bulletin, or the assessed year',
    issue_no Int32 COMMENT '期号: 第 n 期 of the kind and year',
    published_seq UInt64 COMMENT '发布序号: stream sequence of the publication',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S that the edition was made at',
    rules_hash String COMMENT '规则哈希: hash of the rule set that the edition was made with',
    path String COMMENT '指标路径: as in restatements, such as groups/district/county/xiuwu/score',
    value String COMMENT '指标值: as JSON prints it, texts in quotes; JSONExtractString(value) gives the bare text',
    number Nullable(Decimal(38, 4)) COMMENT '数值: the value when it is a number, exact'
)
AS SELECT kind, period, issue_no, published_seq, known_seq, rules_hash, path, value, number
FROM published_figure_rows FINAL
WHERE published_seq IN (SELECT published_seq FROM published_figure_cuts)
COMMENT '已发布指标: what was printed, beside the live figures(period, known)';

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
    remarks String COMMENT '备注: remarks of the publication'
)
AS SELECT
    JSONExtractString(data, 'kind') AS kind, JSONExtractString(data, 'period') AS period, toInt32(JSONExtractInt(data, 'number')) AS issue_no,
    stream_seq AS published_seq, occurred_at AS published_at, JSONExtractUInt(data, 'known_seq') AS known_seq,
    JSONExtractString(data, 'rules_hash') AS rules_hash, JSONExtract(data, 'files', 'Array(Tuple(name String, sha256 String))') AS files,
    JSONExtractString(data, 'remarks') AS remarks
FROM events FINAL
WHERE type IN ('bulletin.published.v1', 'assessment.finalised.v1') AND district = 'city'
COMMENT '已发布版本: every published bulletin and finalised assessment';
