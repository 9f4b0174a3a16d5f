/*
 * forecast/types_reconcile.sql: a series with one value for each period, and a node whose forecast adds up.
 */

CREATE TYPE spm.series AS (
    step text,
    period timestamp[],
    value double precision[],
    season int[]
);
COMMENT ON TYPE spm.series IS 'A series with one value for each period: spm.series() makes it of dated rows.';
COMMENT ON COLUMN spm.series.step IS 'How long a period is: hour, day, week, month, quarter, half, year.';
COMMENT ON COLUMN spm.series.period IS 'First moment of each period, oldest first.';
COMMENT ON COLUMN spm.series.value IS 'What each period has.';
COMMENT ON COLUMN spm.series.season IS 'Periods after which a pattern may repeat, as usual for the step or as given.';

CREATE TYPE spm.reconciled AS (
    node text,
    parent text,
    depth int,
    is_leaf boolean,
    base double precision[],
    path spm.forecast_path
);
COMMENT ON TYPE spm.reconciled IS 'A node of a tree, and its forecast after spm.reconcile().';
COMMENT ON COLUMN spm.reconciled.node IS 'Name of the node.';
COMMENT ON COLUMN spm.reconciled.parent IS 'Node above it. NULL: it is at the top.';
COMMENT ON COLUMN spm.reconciled.depth IS 'Nodes above it: 0 at the top.';
COMMENT ON COLUMN spm.reconciled.is_leaf IS 'Has no nodes below it.';
COMMENT ON COLUMN spm.reconciled.base IS 'What was expected of it before. NULL: it had no forecast.';
COMMENT ON COLUMN spm.reconciled.path IS 'Its forecast, which is the sum of those below it.';
