/* diag.c - messages as later phases make them: labels, notes, repeats, warnings, windows,
 * suggestions. */
#include "syntax/ast.h"

#include <string.h>

static Loc find(const Ngc *ngc, int file, const char *what)
{
    const char *at = strstr(ngc->file[file]->text, what);
    int begin = (int)(at - ngc->file[file]->text);
    return (Loc){file, begin, begin + (int)strlen(what)};
}

static void show_labels(Ngc *ngc, int file)
{
    Diag *d = diag(ngc, SEV_ERROR, ERR_INNER_DIMS, find(ngc, file, "@"),
                   "matmul: inner dimensions differ, %d and %d", 8, 6);
    diag_label(ngc, d, find(ngc, file, "W2\n"), "W2: [6, 3]");
    diag_label(ngc, d, find(ngc, file, "h @"), "h: [16, 8]");
    d->labels->loc.end -= 2;
    d->labels->next->loc.end -= 1;
    diag_note(ngc, d, find(ngc, file, "W2["), "W2 is declared here; [8, 3] would fit");
    Diag *e = diag(ngc, SEV_ERROR, ERR_PRODUCT_WITH_SCALAR, find(ngc, file, "where"),
                   "three labels, one of them on another line");
    diag_label(ngc, e, find(ngc, file, "ccc"), "ccc: [3]");
    diag_label(ngc, e, find(ngc, file, "aaa"), "aaa: [1]");
    diag_label(ngc, e, find(ngc, file, "bbb"), "bbb: [2]");
    diag_label(ngc, e, find(ngc, file, "param"), "the keyword");
    diag_flush(ngc, stdout);
}

static void show_repeats(Ngc *ngc, int file)
{
    for (int i = 0; i < 3; i++)
        warn(ngc, "unused", ERR_NOT_A_TENSOR, find(ngc, file, "z"), "z is not used");
    diag(ngc, SEV_NOTE, NO_CODE, (Loc){-1, 0, 0}, "no place, and a \033 in it");
    printf("%d errors, %d warnings\n", ngc->errors, ngc->warnings);
    diag_flush(ngc, stdout);
    ngc->opt.werror = true;
    ngc->opt.color = 1;
    warn(ngc, "unused", ERR_NOT_A_TENSOR, find(ngc, file, "z"), "z is not used");
    printf("%d errors, %d warnings\n", ngc->errors, ngc->warnings);
    diag_flush(ngc, stdout);
    ngc->opt.color = 0;
}

static void show_suggestion(Ngc *ngc, const char *word)
{
    static const char *const among[] = {"relu", "softmax", "sigmoid", "mean", "cross_entropy", "a"};
    const char *best = suggest(ngc, word, among, 6);
    printf("%s -> %s\n", word, best == NULL ? "-" : best);
}

int main(void)
{
    Ngc ngc = {0};
    static const char text[] = "param W2[6, 3]\nz = h @ W2\ny = where(aaa, bbb, ccc)\n#\tlong\n";
    int file = source_add(&ngc, "iris.ng", text, sizeof text - 1, false);
    show_labels(&ngc, file);
    show_repeats(&ngc, file);
    const char *const word[] = {"rleu", "ReLU", "sotfmax", "crossentropy", "man",
                                "b",    "",     "sigmoid", "zzzzzzzzzzzz"};
    for (int i = 0; i < 9; i++)
        show_suggestion(&ngc, word[i]);
    printf("[%s]\n", source_text(&ngc, (Loc){file, 0, (int)sizeof text - 1}));
    printf("[%s]\n", source_text(&ngc, find(&ngc, file, "W2[6, 3]\nz")));
    const Expr *rule = parse_expr(&ngc, "dy * (1 - y*y)");
    printf("%s %s\n", rule->name, rule->b->name);
    arena_free(&ngc);
    return 0;
}
