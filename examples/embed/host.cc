// host.cc - the same models from C++: the headers are also C++.
#include <cstdio>
#include <memory>
#include <vector>

#include "gate.h"
#include "line.h"

int main()
{
    std::vector<float> x = {-1, 0, 1, 2}, y = {-1, 1, 3, 5};
    std::unique_ptr<line_work> work(new line_work());
    line_params params;
    line_inputs in = LINE_INPUTS;
    in.n = 4;
    in.x = x.data();
    in.y = y.data();
    line_init(&params, 1);
    for (int i = 0; i < 1000; i++)
        if (line_step(&params, &in, work.get()) != NGRT_OK)
            return 1;
    std::printf("line: %.2f x + %.2f\n", params.a, params.b);
    std::printf("gate has %d tensors\n", gate_model.tensors);
}
