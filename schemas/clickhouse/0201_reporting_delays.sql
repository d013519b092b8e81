-- How late events were reported (报送时效): what a sender writes into time and data is held against the clock of the stream.
CREATE VIEW IF NOT EXISTS reporting_delays
(
    source String COMMENT '来源: source of the event',
    id String COMMENT '编号: id of the event',
    type String COMMENT '事件类型: type of the event',
    project_id String COMMENT '项目编号: the project it speaks of',
    district String COMMENT '报送单位: district code of the sender',
    actor String COMMENT '操作者: who sent it',
    stream_seq UInt64 COMMENT '流序号: of the event',
    business_date Nullable(Date32) COMMENT '业务日期: the day that the event is about; NULL for types without one',
    occurred_at DateTime64(3, 'Asia/Shanghai') COMMENT '发生时间: CloudEvents time, as the sender says',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took it',
    days_after_time Int32 COMMENT '距发生时间天数: days from the day of the event''s own time to the day on which it was recorded',
    days_after Nullable(Int32) COMMENT '迟报天数: reported so many days after its business date; NULL for types without one'
)
AS SELECT
    source, id, type, project_id, district, actor, stream_seq, business_date, occurred_at, recorded_at,
    toInt32(dateDiff('day', toDate32(occurred_at), toDate32(recorded_at))) AS days_after_time,
    toInt32(dateDiff('day', business_date, toDate32(recorded_at))) AS days_after
FROM events FINAL
COMMENT '报送时效: how many days after they happened events were reported';

-- The data dictionary, with what came since.
CREATE OR REPLACE VIEW data_dictionary
(
    relation String COMMENT '表或视图: as it is written in a SELECT',
    position UInt64 COMMENT '次序: of the column',
    name String COMMENT '列名: of the column',
    type String COMMENT '类型: data type',
    chinese String COMMENT '中文名: label in Chinese',
    english String COMMENT '英文说明: explanation in English'
)
AS SELECT
    documented.1 AS relation, position, name, type,
    splitByString(': ', comment, 1)[1] AS chinese,
    arrayStringConcat(arrayPopFront(splitByString(': ', comment)), ': ') AS english
FROM system.columns
ARRAY JOIN arrayFilter(pair -> pair.2 = table, [
    ('events', 'events'),
    ('conflicts', 'conflicts'),
    ('dead_letters', 'dead_letters'),
    ('dead_letter_actions', 'dead_letter_actions'),
    ('ignored_events', 'ignored_events'),
    ('reporting_delays', 'reporting_delays'),
    ('audit', 'audit'),
    ('ledger_current', 'ledger_current'),
    ('ledger(as_of, known)', 'ledger_current'),
    ('figures(period, known)', 'figure_rows'),
    ('rankings(period, known)', 'ranking_rows'),
    ('assessment(year, known)', 'assessment_rows'),
    ('assessment_items(year, known)', 'assessment_item_rows'),
    ('published_figures', 'published_figures'),
    ('published_editions', 'published_editions'),
    ('rule_sets', 'rule_sets'),
    ('data_dictionary', 'data_dictionary')]) AS documented
WHERE database = currentDatabase() AND name NOT IN ('expires_at', 'stored_at', 'precedence', 'fact')
COMMENT '数据字典: what analysts can query';
