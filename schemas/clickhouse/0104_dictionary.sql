-- The data dictionary: every table and view that analysts use, column by column, out of the comments that stand where
-- the columns are made. The columns of a view with parameters are those of the table that keeps its rows.
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
