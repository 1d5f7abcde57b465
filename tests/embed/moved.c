/* moved.c - a model's work wherever its owner puts it: in memory that begins anywhere, and copied
 * to another place between forward and backward. The gradients have the same bits. */
#include "model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, STEP = sizeof(void *) };

static model_params params;
static model_grads first, grads;

/* Room for work that begins `shift` bytes after the start of a cache line. */
static model_work *place(char *room, size_t shift)
{
    return (model_work *)(void *)(room + (LINE - (uintptr_t)room % LINE) % LINE + shift);
}

int main(void)
{
    static float x[8][64];
    static int32_t t[8];
    const model_inputs in = {&x[0][0], t};
    char *room[2] = {calloc(1, sizeof(model_work) + 2 * LINE),
                     calloc(1, sizeof(model_work) + 2 * LINE)};
    size_t from, to;
    int bad = room[0] == NULL || room[1] == NULL;
    for (int i = 0; i < 8 * 64; i++)
        x[i / 64][i % 64] = (float)(i * 37 % 101) / 101.0f;
    for (int i = 0; i < 8; i++)
        t[i] = i % 3;
    model_init(&params, 1);
    for (from = 0; from < LINE && !bad; from += STEP)
        for (to = 0; to < LINE && !bad; to += STEP) {
            model_work *w = place(room[0], from), *moved = place(room[1], to);
            memset(w, 0, sizeof *w);
            bad |= model_forward(&params, &in, w) != NGRT_OK;
            memcpy(moved, w, sizeof *w);
            memset(w, 0xff, sizeof *w);
            bad |= model_backward(&params, &in, moved, &grads) != NGRT_OK;
            if (from + to == 0)
                first = grads;
            bad |= memcmp(&first, &grads, sizeof grads) != 0;
        }
    free(room[0]);
    free(room[1]);
    printf(bad ? "differs\n" : "the same\n");
    return bad;
}
