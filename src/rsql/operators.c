/* SPDX-License-Identifier: MIT */
/* The operators in the order in which they are tried (spec/02 section 2.3), and what each one does. */
#include "rsql/ast.h"

#define BIT(class_) (1u << (class_))
#define TEXTUAL (BIT(COV_CLASS_TEXT) | BIT(COV_CLASS_NUM) | BIT(COV_CLASS_JSON))
#define ORDERED \
    (BIT(COV_CLASS_TEXT) | BIT(COV_CLASS_NUM) | BIT(COV_CLASS_BOOL) | BIT(COV_CLASS_TIME))
#define EQUATABLE (ORDERED | BIT(COV_CLASS_JSON))
#define EVERY (EQUATABLE | BIT(COV_CLASS_BLOB))

/* Token, kind, classes, argument, negated, case ignored. A blob takes == and != with null only. */
/* clang-format off */
#define OPERATORS(X) \
    X("!%=", MATCH, TEXTUAL, COV__LIKE, true, false) \
    X("%=", MATCH, TEXTUAL, COV__LIKE, false, false) \
    X("==", EQUALITY, EVERY, 0, false, false) \
    X("!=", EQUALITY, EVERY, 0, true, false) \
    X(">=", ORDER, ORDERED, COV__GE, false, false) \
    X("<=", ORDER, ORDERED, COV__LE, false, false) \
    X(">", ORDER, ORDERED, COV__GT, false, false) \
    X("<", ORDER, ORDERED, COV__LT, false, false) \
    X("=isnull=", NULL, EVERY, 0, false, false) \
    X("=isempty=", EMPTY, EVERY, 0, false, false) \
    X("=in=", IN, EQUATABLE, 0, false, false) \
    X("=out=", IN, EQUATABLE, 0, true, false) \
    X("=ieq=", MATCH, TEXTUAL, COV__SAME, false, true) \
    X("=ine=", MATCH, TEXTUAL, COV__SAME, true, true) \
    X("=ilike=", MATCH, TEXTUAL, COV__LIKE, false, true) \
    X("=nilike=", MATCH, TEXTUAL, COV__LIKE, true, true) \
    X("=contains=", MATCH, TEXTUAL, COV__CONTAINS, false, false) \
    X("=icontains=", MATCH, TEXTUAL, COV__CONTAINS, false, true) \
    X("=startswith=", MATCH, TEXTUAL, COV__STARTS, false, false) \
    X("=istartswith=", MATCH, TEXTUAL, COV__STARTS, false, true) \
    X("=endswith=", MATCH, TEXTUAL, COV__ENDS, false, false) \
    X("=iendswith=", MATCH, TEXTUAL, COV__ENDS, false, true) \
    X("=gt=", ORDER, ORDERED, COV__GT, false, false) \
    X("=ge=", ORDER, ORDERED, COV__GE, false, false) \
    X("=lt=", ORDER, ORDERED, COV__LT, false, false) \
    X("=le=", ORDER, ORDERED, COV__LE, false, false) \
    X("=between=", BETWEEN, ORDERED, 0, false, false) \
    X("=nbetween=", BETWEEN, ORDERED, 0, true, false) \
    X("=regex=", MATCH, TEXTUAL, COV__REGEX, false, false) \
    X("=iregex=", MATCH, TEXTUAL, COV__REGEX, false, true) \
    X("=length=", LENGTH, TEXTUAL, COV__EQ, false, false) \
    X("=minlength=", LENGTH, TEXTUAL, COV__GE, false, false) \
    X("=maxlength=", LENGTH, TEXTUAL, COV__LE, false, false)
/* clang-format on */

const cov_str cov_rsql_operators[] = {
#define TOKEN(token, kind, classes, arg, negate, icase) COV_STR_INIT(token),
    OPERATORS(TOKEN)
};

const cov__op cov__rsql_ops[] = {
#define ROW(token, kind, classes, arg, negate, icase) \
    { COV__OP_##kind, classes, arg, negate, icase },
    OPERATORS(ROW)
};

const size_t cov_rsql_n_operators = COV_COUNT_OF(cov_rsql_operators);
