# shellcheck shell=bash
# Reads CSV files of strangers into tables of text, for scripts whose run() is psql: columns in any order, others beside them,
# lines that end as those of Windows, empty lines, a byte order mark, packed by gzip or not.

csv_lines() { gzip -dcf -- "$1" | sed -e '1s/^\xEF\xBB\xBF//' -e 's/\r$//' | grep -v '^[[:space:],]*$' || true; }

# After run -f bench/csv.sql.
# csv_load TABLE FILE COLUMN...   A column can have several names: stage|deal_stage.  One that ends with ? may be absent.
csv_load() {
	local table=$1 file=$2 copy
	shift 2
	copy=$(run -v "table=$table" -v "file=$file" -v "header=$(csv_lines "$file" | sed -n 1p)" <<-'SQL'
		SELECT csv_table(:'table', :'file', :'header');
	SQL
	)
	csv_lines "$file" | run -v SHOW_CONTEXT=errors -c "$copy" || { echo "$file: lines are counted without empty ones" >&2; return 1; }
	run -v "table=$table" -v "file=$file" -v "names=$*" <<-'SQL'
		SELECT FROM string_to_table(:'names', ' ') AS n (names), csv_column(:'table', :'file', n.names);
	SQL
}
