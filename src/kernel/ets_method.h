/*
 * ets_method.h
 *	  Exponential smoothing as rows of spmk_methods[].
 */
#ifndef SPMK_ETS_METHOD_H
#define SPMK_ETS_METHOD_H

#include "forecast.h"

#define SPM_ETS_RUN(name) \
	extern SpmForecastStatus name(const SpmSeries *series, SpmOutlook *outlook, double *space, const SpmBreath *breath)

extern size_t spmk_ets_space(int n, int m, int h);
SPM_ETS_RUN(spmk_ets_method);
SPM_ETS_RUN(spmk_ets_mixed_method);
SPM_ETS_RUN(spmk_hw_method);
SPM_ETS_RUN(spmk_ets_ANN);
SPM_ETS_RUN(spmk_ets_AAN);
SPM_ETS_RUN(spmk_ets_AAdN);
SPM_ETS_RUN(spmk_ets_MNN);
SPM_ETS_RUN(spmk_ets_MAN);
SPM_ETS_RUN(spmk_ets_MAdN);
SPM_ETS_RUN(spmk_ets_ANA);
SPM_ETS_RUN(spmk_ets_AAA);
SPM_ETS_RUN(spmk_ets_AAdA);
SPM_ETS_RUN(spmk_ets_MNA);
SPM_ETS_RUN(spmk_ets_MAA);
SPM_ETS_RUN(spmk_ets_MAdA);
SPM_ETS_RUN(spmk_ets_MNM);
SPM_ETS_RUN(spmk_ets_MAM);
SPM_ETS_RUN(spmk_ets_MAdM);

#define SPM_ETS_ROWS \
	{"ets", "exponential smoothing, the best of its 15 forms", spmk_ets_space, spmk_ets_method}, \
	{"etsmix", "exponential smoothing, the mean of its forms by how likely each is", spmk_ets_space, spmk_ets_mixed_method}, \
	{"hw", "Holt-Winters with a damped trend", spmk_ets_space, spmk_hw_method}, \
	{"ANN", "simple exponential smoothing", spmk_ets_space, spmk_ets_ANN, .is_cheap = true}, \
	{"AAN", "a trend (Holt)", spmk_ets_space, spmk_ets_AAN, .is_cheap = true}, \
	{"AAdN", "a damped trend", spmk_ets_space, spmk_ets_AAdN, .is_cheap = true}, \
	{"MNN", "simple, errors in proportion", spmk_ets_space, spmk_ets_MNN, .is_cheap = true}, \
	{"MAN", "a trend, errors in proportion", spmk_ets_space, spmk_ets_MAN, .is_cheap = true}, \
	{"MAdN", "a damped trend, errors in proportion", spmk_ets_space, spmk_ets_MAdN, .is_cheap = true}, \
	{"ANA", "a season that adds", spmk_ets_space, spmk_ets_ANA, .is_cheap = true}, \
	{"AAA", "a trend and a season that adds (Holt-Winters)", spmk_ets_space, spmk_ets_AAA, .is_cheap = true}, \
	{"AAdA", "a damped trend and a season that adds", spmk_ets_space, spmk_ets_AAdA, .is_cheap = true}, \
	{"MNA", "a season that adds, errors in proportion", spmk_ets_space, spmk_ets_MNA, .is_cheap = true}, \
	{"MAA", "a trend and a season that adds, errors in proportion", spmk_ets_space, spmk_ets_MAA, .is_cheap = true}, \
	{"MAdA", "a damped trend and a season that adds, errors in proportion", spmk_ets_space, spmk_ets_MAdA, .is_cheap = true}, \
	{"MNM", "a season that multiplies, errors in proportion", spmk_ets_space, spmk_ets_MNM, .is_cheap = true}, \
	{"MAM", "a trend and a season that multiplies, errors in proportion", spmk_ets_space, spmk_ets_MAM, .is_cheap = true}, \
	{"MAdM", "a damped trend and a season that multiplies, errors in proportion", spmk_ets_space, spmk_ets_MAdM, .is_cheap = true}

#endif
