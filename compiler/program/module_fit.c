/* module_fit.c - programs of training that fit into a limit of memory (--memory), and the message
 * where there are none.
 *
 * In: what a program delivers, and the bytes that it may need. Out: the program, planned; where it
 * needs more, backward computes values of forward again (recompute.c). */
#include "program/module.h"

enum {
    TRIES = 5,  /* of one program: the plan may need some more than what lives at one time */
    STEPS = 2,  /* limits that are tried when the smallest program is sought: its size, */
    EIGHTH = 8, /* and each further one an eighth looser */
};

int64_t program_bytes(const Program *p)
{
    return p->space * type_size(p->ngc, T_FLOAT) + p->ispace * type_size(p->ngc, T_INT);
}

/* A program notes things in its targets, so each has its own. */
static Program *build_within(const Module *m, const char *name, const Target *t, int count,
                             int64_t room)
{
    Target *own = LIST_COPY(m->ngc, t, count + 1);

    return program_build_within(m->ngc, m->model, name, own, count, room);
}

/* The smallest program that can be found. What it is does not depend on the limit. */
static Program *build_smallest(const Module *m, const char *name, const Target *t, int count)
{
    Program *best = build_within(m, name, t, count, 0);
    int64_t least = program_bytes(best);

    for (int i = 0; i < STEPS; i++) {
        Program *p = build_within(m, name, t, count, least + least * i / EIGHTH);
        if (program_bytes(p) < program_bytes(best))
            best = p;
    }
    return best;
}

Program *program_fit(const Module *m, const char *name, const Target *t, int count)
{
    Program *p = build_within(m, name, t, count, -1);
    int64_t whole = program_bytes(p);
    int64_t room = m->room;
    if (whole <= room)
        return p;
    if (room == 0)
        p = build_smallest(m, name, t, count);

    /* what is planned may need more than what lives: then less may live */
    for (int i = 0; i < TRIES && room > 0; i++) {
        p = build_within(m, name, t, count, room);
        int64_t bytes = program_bytes(p);
        int64_t live = p->live * type_size(m->ngc, T_FLOAT);
        if (bytes <= m->room || live > m->room)
            break;
        room = min_int64(live, room) - (bytes - m->room) * (i + 1) / 2;
    }
    if (m->tight && program_bytes(p) > m->room && m->room > 0)
        p = build_smallest(m, name, t, count);
    p->whole = whole;
    return p;
}

int64_t module_work_bytes(const Module *m)
{
    StructSize work = module_work(m, 8, NULL);

    return struct_bytes(&work);
}

const char *segments_text(Ngc *ngc)
{
    const char *text = text_format(ngc, "segments of about %d passes", ngc->opt.segment);

    if (ngc->opt.part == 0)
        return text;
    return text_format(ngc, "%s, in parts of about %d", text, ngc->opt.part);
}

void module_too_large(const Module *m, int64_t least)
{
    Ngc *ngc = m->ngc;
    const char *why = "";

    if (m->plain)
        why = ": at -O0 each value has a member of work";
    else if (ngc->opt.no_share)
        why = ": with --no-share each value has memory of its own";
    else if (ngc->opt.segment > 0)
        why = text_format(ngc, ", with loops in %s", segments_text(ngc));
    diag(ngc, SEV_ERROR, ERR_MEMORY, (Loc){.file = -1},
         "the work struct does not fit into %lld bytes; the least is %lld%s",
         (long long)ngc->opt.memory, (long long)least, why);
}
