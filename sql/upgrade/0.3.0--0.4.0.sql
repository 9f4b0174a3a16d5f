/*
 * 0.3.0--0.4.0: results are kept by period, and what changes is noted.
 */
