-- What was judged of each subject for cuts that are asked for again and again, such as those of the bulletins to come. It is
-- made from events and can be made again at any time; nothing but the program itself reads it. A cut is a day E, what item 6
-- of 七个一 can see, the rules, the table of events and the program that judged. Each making of a cut is a partition, so that
-- it is forgotten at once and never mixes with another one.
CREATE TABLE IF NOT EXISTS judged_rows
(
    making String COMMENT '批次: one judgement of all subjects, with what was judged again since',
    project_id String COMMENT '项目编号: subject of events',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S at which it was judged' CODEC(T64, LZ4),
    judgement String COMMENT '判定结果: packed form' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(known_seq)
PARTITION BY making
ORDER BY (making, project_id)
COMMENT '判定缓存: what was judged of each subject, for some cuts';

CREATE TABLE IF NOT EXISTS judged_cuts
(
    cut String COMMENT '口径: hash of what the judgement depends on but S',
    making String COMMENT '批次: as in judged_rows',
    as_of Date32 COMMENT '截止日期: the day E',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S up to which what concerns a subject was judged',
    subjects UInt64 COMMENT '对象数: how many subjects there are at least',
    judged_at DateTime64(3, 'Asia/Shanghai') COMMENT '判定时间: when'
)
ENGINE = ReplacingMergeTree(known_seq)
ORDER BY (cut, making)
COMMENT '判定缓存进度: how far each cut of judged_rows is';
