/*
 * 0.4.0--0.5.0: territories, segments, capacity, and quotas down a tree.
 */

-- include sql/territory/types.sql
-- include sql/territory/types_segment.sql
-- include sql/territory/tables.sql
-- include sql/territory/tables_design.sql
-- include sql/territory/tables_segment.sql
-- include sql/quota/tables_plan.sql
-- include sql/quota/tables_capacity.sql
