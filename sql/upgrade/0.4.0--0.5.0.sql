/*
 * 0.4.0--0.5.0: territories, segments, capacity, and quotas down a tree.
 */

-- include sql/territory/types.sql
-- include sql/territory/types_segment.sql
-- include sql/territory/tables.sql
-- include sql/territory/tables_defect.sql
-- include sql/territory/tables_design.sql
-- include sql/territory/tables_segment.sql
-- include sql/quota/tables_plan.sql
-- include sql/quota/tables_workforce.sql

ALTER TABLE spm.territory_source ADD COLUMN territory_model_id int REFERENCES spm.territory_model,
    ADD COLUMN territory_type text,
    ADD CONSTRAINT territory_source_model CHECK ((territory_model_id IS NULL) = (territory_type IS NULL));
CREATE INDEX territory_source_model ON spm.territory_source (territory_model_id);
COMMENT ON TABLE spm.territory_source IS 'A relation that says who holds what: accounts, postcodes, products; or a model of territories. Written by spm.map_territory() and spm.credit_territories(); its rows are in the view spm.territory_claim.';
COMMENT ON COLUMN spm.territory_source.territory_model_id IS 'Model whose holders are credited: by its assignments or its rules, as relation_name says. NULL: the relation is mapped by the columns above.';
COMMENT ON COLUMN spm.territory_source.territory_type IS 'Type of its territories; NULL without a model.';
