/*
 * territory/tables_design.sql: designs, which divide units among seats: what is
 * to be divided, among whom, under which conditions, and the plan that came out.
 */

CREATE TABLE spm.territory_design (
    territory_design_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    territory_model_id int REFERENCES spm.territory_model,
    activities text[] NOT NULL CHECK (cardinality(activities) BETWEEN 1 AND 16 AND array_position(activities, NULL) IS NULL),
    tolerances numeric[] NOT NULL CHECK (array_position(tolerances, NULL) IS NULL AND 0 <= ALL (tolerances) AND 1 >= ALL (tolerances)),
    is_contiguous boolean NOT NULL DEFAULT true,
    method text CHECK (method IN ('fresh', 'rebalance')),
    disruption numeric CHECK (disruption >= 0),
    move_limit numeric CHECK (move_limit >= 0),
    moves bigint CHECK (moves > 0),
    seed bigint,
    cost numeric,
    bound numeric,
    excess numeric,
    piece_count int,
    planned_at timestamptz,
    planned_digest text,
    published_span daterange,
    CONSTRAINT territory_design_tolerance CHECK (cardinality(tolerances) = cardinality(activities))
);
CREATE INDEX territory_design_model ON spm.territory_design (territory_model_id);
COMMENT ON TABLE spm.territory_design IS 'A design: units divided among seats so that loads are balanced, travel is short, territories are in one piece and little changes hands.';
COMMENT ON COLUMN spm.territory_design.territory_design_id IS 'Key.';
COMMENT ON COLUMN spm.territory_design.name IS 'Name, unique.';
COMMENT ON COLUMN spm.territory_design.territory_model_id IS 'Model that it is published to. NULL: none.';
COMMENT ON COLUMN spm.territory_design.activities IS 'Names of what is balanced: workload, potential, accounts ...';
COMMENT ON COLUMN spm.territory_design.tolerances IS 'How far each may be from its target, as a ratio: 0.05 is 5 percent.';
COMMENT ON COLUMN spm.territory_design.is_contiguous IS 'Whether each territory is to be in one piece.';
COMMENT ON COLUMN spm.territory_design.method IS 'fresh or rebalance: what made the plan. NULL: there is none.';
COMMENT ON COLUMN spm.territory_design.disruption IS 'Kilometres that it is worth to leave a unit of value where it is, in the plan.';
COMMENT ON COLUMN spm.territory_design.move_limit IS 'Value that the plan might take from seats. NULL: any.';
COMMENT ON COLUMN spm.territory_design.moves IS 'Moves that were tried for the plan: its budget.';
COMMENT ON COLUMN spm.territory_design.seed IS 'Seed of the plan: the same input, seed and moves make the same plan.';
COMMENT ON COLUMN spm.territory_design.cost IS 'Weight times kilometres of the plan, and disruption times the value that changes hands.';
COMMENT ON COLUMN spm.territory_design.bound IS 'No balanced plan with the same homes costs less, in one piece or not.';
COMMENT ON COLUMN spm.territory_design.excess IS 'Load outside of the tolerances and value over the limit, in targets of a seat; 0: the plan keeps them.';
COMMENT ON COLUMN spm.territory_design.piece_count IS 'Pieces of all territories together. NULL: not asked.';
COMMENT ON COLUMN spm.territory_design.planned_at IS 'When the plan was made.';
COMMENT ON COLUMN spm.territory_design.planned_digest IS 'Digest of all that the plan was made from; another one now: the plan is out of date.';
COMMENT ON COLUMN spm.territory_design.published_span IS 'Days for which it was last published; end exclusive. NULL: it was not.';

CREATE TABLE spm.territory_design_seat (
    territory_design_id int NOT NULL REFERENCES spm.territory_design ON DELETE CASCADE,
    seat_key text NOT NULL CHECK (seat_key <> ''),
    capacities numeric[] NOT NULL CHECK (array_position(capacities, NULL) IS NULL AND 0 < ALL (capacities)),
    latitude numeric CHECK (latitude BETWEEN -90 AND 90),
    longitude numeric CHECK (longitude BETWEEN -180 AND 180),
    is_closed boolean NOT NULL DEFAULT false,
    territory_id int REFERENCES spm.territory,
    planned_latitude numeric,
    planned_longitude numeric,
    PRIMARY KEY (territory_design_id, seat_key),
    CONSTRAINT territory_design_seat_home CHECK (num_nonnulls(latitude, longitude) IN (0, 2))
);
CREATE INDEX territory_design_seat_territory ON spm.territory_design_seat (territory_id);
COMMENT ON TABLE spm.territory_design_seat IS 'A seat of a design: one territory each.';
COMMENT ON COLUMN spm.territory_design_seat.territory_design_id IS 'Design.';
COMMENT ON COLUMN spm.territory_design_seat.seat_key IS 'Key of the seat, unique in its design.';
COMMENT ON COLUMN spm.territory_design_seat.capacities IS 'Its size for each activity beside the other seats: 0.5 of a half-time seller where others have 1.';
COMMENT ON COLUMN spm.territory_design_seat.latitude IS 'Latitude of its home, degrees. NULL: the design finds one.';
COMMENT ON COLUMN spm.territory_design_seat.longitude IS 'Longitude of its home, degrees. NULL: the design finds one.';
COMMENT ON COLUMN spm.territory_design_seat.is_closed IS 'Whether it is given up: it gets nothing, and what it has must go.';
COMMENT ON COLUMN spm.territory_design_seat.territory_id IS 'Territory that it is published as. NULL: one with the seat''s key is added.';
COMMENT ON COLUMN spm.territory_design_seat.planned_latitude IS 'Latitude of the home in the plan, degrees.';
COMMENT ON COLUMN spm.territory_design_seat.planned_longitude IS 'Longitude of the home in the plan, degrees.';

CREATE TABLE spm.territory_design_unit (
    territory_design_id int NOT NULL REFERENCES spm.territory_design ON DELETE CASCADE,
    unit_key text NOT NULL CHECK (unit_key <> ''),
    latitude numeric NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude numeric NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    activities numeric[] NOT NULL CHECK (array_position(activities, NULL) IS NULL AND 0 <= ALL (activities)),
    weight numeric NOT NULL CHECK (weight >= 0),
    value numeric NOT NULL CHECK (value >= 0),
    family_key text NOT NULL CHECK (family_key <> ''),
    seat_key text,
    is_locked boolean NOT NULL DEFAULT false,
    planned_seat_key text,
    planned_distance numeric,
    PRIMARY KEY (territory_design_id, unit_key),
    CONSTRAINT territory_design_unit_seat FOREIGN KEY (territory_design_id, seat_key) REFERENCES spm.territory_design_seat,
    CONSTRAINT territory_design_unit_plan FOREIGN KEY (territory_design_id, planned_seat_key) REFERENCES spm.territory_design_seat,
    CONSTRAINT territory_design_unit_lock CHECK (NOT is_locked OR seat_key IS NOT NULL)
);
CREATE INDEX territory_design_unit_of_seat ON spm.territory_design_unit (territory_design_id, seat_key);
CREATE INDEX territory_design_unit_of_plan ON spm.territory_design_unit (territory_design_id, planned_seat_key);
COMMENT ON TABLE spm.territory_design_unit IS 'What a design divides: accounts, or areas such as postal codes and counties.';
COMMENT ON COLUMN spm.territory_design_unit.territory_design_id IS 'Design.';
COMMENT ON COLUMN spm.territory_design_unit.unit_key IS 'Key of the unit, unique in its design.';
COMMENT ON COLUMN spm.territory_design_unit.latitude IS 'Latitude, degrees.';
COMMENT ON COLUMN spm.territory_design_unit.longitude IS 'Longitude, degrees.';
COMMENT ON COLUMN spm.territory_design_unit.activities IS 'How much of each activity of the design it has.';
COMMENT ON COLUMN spm.territory_design_unit.weight IS 'What a kilometre to it counts; as a rule its first activity.';
COMMENT ON COLUMN spm.territory_design_unit.value IS 'What is lost when it changes hands; as a rule its first activity.';
COMMENT ON COLUMN spm.territory_design_unit.family_key IS 'Units with one family key go to one seat; as a rule the unit''s own key.';
COMMENT ON COLUMN spm.territory_design_unit.seat_key IS 'Seat that has it now. NULL: none.';
COMMENT ON COLUMN spm.territory_design_unit.is_locked IS 'Whether it must stay there.';
COMMENT ON COLUMN spm.territory_design_unit.planned_seat_key IS 'Seat in the plan.';
COMMENT ON COLUMN spm.territory_design_unit.planned_distance IS 'Kilometres to the home of that seat.';

CREATE TABLE spm.territory_design_border (
    territory_design_id int NOT NULL REFERENCES spm.territory_design ON DELETE CASCADE,
    unit_key text NOT NULL,
    other_key text NOT NULL,
    origin text NOT NULL DEFAULT 'given' CHECK (origin IN ('given', 'near', 'bridge')),
    PRIMARY KEY (territory_design_id, unit_key, other_key),
    CONSTRAINT territory_design_border_unit FOREIGN KEY (territory_design_id, unit_key) REFERENCES spm.territory_design_unit ON DELETE CASCADE,
    CONSTRAINT territory_design_border_other FOREIGN KEY (territory_design_id, other_key) REFERENCES spm.territory_design_unit ON DELETE CASCADE,
    CONSTRAINT territory_design_border_once CHECK (unit_key COLLATE "C" < other_key COLLATE "C")
);
CREATE INDEX territory_design_border_back ON spm.territory_design_border (territory_design_id, other_key);
COMMENT ON TABLE spm.territory_design_border IS 'Which units touch; a territory is in one piece when all its units are connected through such pairs.';
COMMENT ON COLUMN spm.territory_design_border.territory_design_id IS 'Design.';
COMMENT ON COLUMN spm.territory_design_border.unit_key IS 'The one unit, first by bytes.';
COMMENT ON COLUMN spm.territory_design_border.other_key IS 'The other.';
COMMENT ON COLUMN spm.territory_design_border.origin IS 'given, near (found by distance) or bridge (the shortest way between parts that nothing connects).';

CREATE TABLE spm.territory_design_pair (
    territory_design_id int NOT NULL REFERENCES spm.territory_design ON DELETE CASCADE,
    unit_key text NOT NULL,
    seat_key text NOT NULL,
    distance numeric CHECK (distance >= 0 AND distance < 'Infinity'),
    PRIMARY KEY (territory_design_id, unit_key, seat_key),
    CONSTRAINT territory_design_pair_unit FOREIGN KEY (territory_design_id, unit_key) REFERENCES spm.territory_design_unit ON DELETE CASCADE,
    CONSTRAINT territory_design_pair_seat FOREIGN KEY (territory_design_id, seat_key) REFERENCES spm.territory_design_seat ON DELETE CASCADE
);
CREATE INDEX territory_design_pair_of_seat ON spm.territory_design_pair (territory_design_id, seat_key);
COMMENT ON TABLE spm.territory_design_pair IS 'A unit and a seat that the map does not tell the truth about: another distance, or none at all.';
COMMENT ON COLUMN spm.territory_design_pair.territory_design_id IS 'Design.';
COMMENT ON COLUMN spm.territory_design_pair.unit_key IS 'Unit.';
COMMENT ON COLUMN spm.territory_design_pair.seat_key IS 'Seat.';
COMMENT ON COLUMN spm.territory_design_pair.distance IS 'Kilometres (or minutes, if all pairs have them) instead of those on the map. NULL: the unit must not go to the seat.';

SELECT pg_catalog.pg_extension_config_dump('spm.territory_design', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_design_seat', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_design_unit', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_design_border', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_design_pair', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_design_territory_design_id_seq', '');
