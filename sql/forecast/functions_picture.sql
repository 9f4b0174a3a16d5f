/*
 * forecast/functions_picture.sql: a series and its forecast, drawn.
 */

CREATE OR REPLACE FUNCTION spm.forecast_svg(series spm.series, path spm.forecast_path, title text DEFAULT '', width int DEFAULT 480, height int DEFAULT 200)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH past AS (
        SELECT p.at::float8 AS x, p.value AS y FROM unnest((series).value) WITH ORDINALITY AS p (value, at) WHERE p.value IS NOT NULL
    ), future AS (
        SELECT f.step + coalesce(cardinality((series).value), 0)::float8 AS x, f.mean AS y, coalesce(f.lower, f.mean) AS lower, coalesce(f.upper, f.mean) AS upper
        FROM spm.forecast_rows(path) f WHERE f.mean IS NOT NULL
    ), frame AS (        -- from zero, or below it where values are, to the highest limit
        SELECT greatest(width, 100)::float8 AS w, greatest(height, 60)::float8 AS h, max(a.x) AS last, least(0, min(a.y)) AS bottom, greatest(max(a.y), 1e-30) AS top
        FROM (SELECT p.x, p.y FROM past p UNION ALL SELECT f.x, unnest(ARRAY[f.lower, f.mean, f.upper]) FROM (SELECT x, lower, y AS mean, upper FROM future) f) a
    ), place AS (        -- points of the past, and from its last value on of the mean and both limits
        SELECT d.part, d.x, round((10 + (f.w - 20) * (d.x - 1) / greatest(f.last - 1, 1))::numeric, 1) || ' '
               || round((f.h - 24 - (f.h - 54) * ((d.y - f.bottom) / (f.top - f.bottom)))::numeric, 1) AS dot
        FROM frame f, (
            SELECT 'past' AS part, p.x, p.y FROM past p
            UNION ALL SELECT 'mean', u.x, u.y FROM future u
            UNION ALL SELECT unnest('{lower,mean,upper}'::text[]), p.x, p.y FROM past p WHERE p.x = cardinality((series).value)
            UNION ALL SELECT 'lower', u.x, u.lower FROM future u
            UNION ALL SELECT 'upper', u.x, u.upper FROM future u) d
    )
    SELECT format('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$s %2$s" width="%1$s" height="%2$s" font-family="sans-serif" font-size="12" fill="none">', f.w, f.h)
        || '<path fill="#8ab4e8" fill-opacity="0.35" d="M' || coalesce((SELECT string_agg(p.dot, 'L' ORDER BY p.x) FROM place p WHERE p.part = 'lower') || 'L'
            || (SELECT string_agg(p.dot, 'L' ORDER BY p.x DESC) FROM place p WHERE p.part = 'upper') || 'Z', '0 0') || '"/>'
        || format('<path stroke="#999" d="M10 %sH%s"/>', round((f.h - 24 - (f.h - 54) * ((0 - f.bottom) / (f.top - f.bottom)))::numeric, 1), f.w - 10)
        || '<path stroke="#666" stroke-width="1.5" d="M' || coalesce((SELECT string_agg(p.dot, 'L' ORDER BY p.x) FROM place p WHERE p.part = 'past'), '0 0') || '"/>'
        || '<path stroke="#1f5fbf" stroke-width="2" d="M' || coalesce((SELECT string_agg(p.dot, 'L' ORDER BY p.x) FROM place p WHERE p.part = 'mean'), '0 0') || '"/>'
        || format('<g fill="#666"><text x="10" y="16" font-weight="bold">%s</text><text x="%s" y="16" text-anchor="end">%s</text><text x="10" y="%s">%s</text><text x="%s" y="%s" text-anchor="end">%s</text></g></svg>',
            replace(replace(replace(title, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), f.w - 10, coalesce(to_char(f.top, 'FM999,999,999,999,990'), ''),
            f.h - 8, coalesce(to_char(coalesce((series).period[1], (path).period[1]), 'YYYY-MM-DD'), ''), f.w - 10, f.h - 8,
            coalesce(to_char(CASE WHEN (path).mean IS NULL THEN (series).period[cardinality((series).value)] ELSE (path).period[cardinality((path).mean)] END, 'YYYY-MM-DD'), ''))
    FROM frame f
    WHERE f.last IS NOT NULL;
END;
COMMENT ON FUNCTION spm.forecast_svg(spm.series, spm.forecast_path, text, int, int) IS
$$A picture (SVG) of a series and its forecast: the past in grey, what is expected in blue, with its limits. At the top the highest value that is drawn, at the bottom the first and the last period. NULL where there is nothing to draw.
Arguments: series (what spm.series() makes of dated rows; NULL: only the forecast), path (what spm.forecast() gives; NULL: only the past), title, width and height (in pixels).
Example: SELECT spm.forecast_svg(spm.series(ordered_on, amount, '{"step": "month"}'), spm.forecast(ordered_on, amount, 12, '{"step": "month"}'), 'Orders') FROM orders.$$;
