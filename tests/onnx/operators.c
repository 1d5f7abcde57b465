/* operators.c - prints the table of operators that the manual has. */
#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const OnnxOp *const *)a)->name, (*(const OnnxOp *const *)b)->name);
}

int main(void)
{
    const OnnxOp *list[500];
    int count = 0;
    for (int t = 0; onnx_tables[t]; t++)
        for (const OnnxOp *op = onnx_tables[t]; op->name; op++)
            if (op->says && count < 500)
                list[count++] = op;
    qsort(list, (size_t)count, sizeof *list, by_name);
    for (int i = 0; i < count; i++)
        printf("| %s | %s | %s |\n", list[i]->name, list[i]->says,
               list[i]->attributes ? list[i]->attributes : "");
    return 0;
}
