/*
 * split.h
 *	  Dividing a total so that the parts add up to it.
 */
#ifndef SPMK_SPLIT_H
#define SPMK_SPLIT_H

#include "dec.h"

extern void spmk_split(Dec units, const Dec *shares, int n, Dec *parts, Dec *rests, int *order);
extern bool spmk_split_int(int64_t units, const int64_t *shares, int n, int64_t *parts);

#endif
