/* object.cc - ngc.hpp: a model as a C++ object, used rightly and wrongly; prints how many checks failed. */
#include <cmath>
#include <cstdio>
#include "sizes.h"
#include "classes.h"
#include "fixed.h"
#include "ngc.hpp"

static int failed;

static void check(bool right, const char *what)
{
    if (!right) {
        failed++;
        std::printf("FAIL ngc.hpp: %s\n", what);
    }
}

/* The statement must throw an Error with this code and these words. */
#define THROWS(code_, words, statement)                                                     \
    do {                                                                                    \
        std::string said = "nothing";                                                       \
        int code = 0;                                                                       \
        try {                                                                               \
            statement;                                                                      \
        } catch (const ngc::Error &error) {                                                 \
            said = error.what();                                                            \
            code = error.code();                                                            \
        }                                                                                   \
        check(code == (code_) && said.find(words) != std::string::npos, (words " <- " + said).c_str()); \
    } while (0)

static std::vector<float> rows(std::size_t n)
{
    std::vector<float> x;
    for (std::size_t i = 0; i < 4*n; i++)
        x.push_back(i % 4 == i/4 % 3 ? 1.f : 0.f);
    return x;
}

static std::vector<int32_t> kinds(int n)
{
    std::vector<int32_t> t;
    for (int i = 0; i < n; i++)
        t.push_back(i % 3);
    return t;
}

static void training()
{
    ngc::Model m(classes_model, 3);
    std::vector<float> x = rows(20);
    std::vector<int32_t> t = kinds(20);
    THROWS(NGRT_EMODEL, "the input x is missing", m.step());
    m.input("x", x);
    THROWS(NGRT_EMODEL, "the input t is missing", m.step());
    m.input("t", t);
    double first = m.step(), last = first;
    for (int i = 0; i < 300; i++)
        last = m.step();
    m.eval();
    check(first > 0.5 && last < 0.1 && m.value("accuracy") == 1, "training");
    check(m.size("m") == 20 && m.output<float>("p").size() == 60, "run-time sizes");
    check(std::fabs(m.value("J") - last) < 0.01, "a loss");

    ngc::Model copy = m;
    copy.param<float>("h.W")[0] += 1;
    check(copy.param<float>("h.W")[0] != m.param<float>("h.W")[0], "a copy");
    double before = m.forward();
    m.backward();
    double norm = 0;
    ngc::View<float> g = m.grad<float>("dJ/dh.W");
    for (float *p = g.begin(); p != g.end(); p++)
        norm += *p * *p;
    m.update();
    check(norm > 0 && m.forward() < before, "forward, backward, update");
    m.predict();
    THROWS(NGRT_EMODEL, "right before it", m.backward());
    THROWS(NGRT_EMODEL, "right before it", m.update());
    THROWS(NGRT_EMODEL, "computed by backward", copy.grad<float>("dJ/dh.W"));

    std::vector<float> wrong = rows(21);
    m.input("x", wrong);
    THROWS(NGRT_ESIZE, "t has another number", m.step());
    m.predict();
    check(m.size("m") == 21, "labels are not looked at by predict");
    wrong.pop_back();
    m.input("x", wrong);
    THROWS(NGRT_ESIZE, "fits no m", m.predict());
    wrong.clear();
    m.input("x", wrong);
    THROWS(NGRT_ESIZE, "fits no m", m.predict());
    wrong = rows(51);
    m.input("x", wrong);
    THROWS(NGRT_ESIZE, "fits no m", m.predict());
    m.input("x", x);
    m.size("m", 19);
    THROWS(NGRT_ESIZE, "x has another number", m.predict());
    m.size("m", 0);
    m.predict();
    THROWS(NGRT_ESIZE, "bound", m.size("m", 51));
    t[1] = 3;
    THROWS(NGRT_ELABEL, "label", m.step());
    THROWS(NGRT_EMODEL, "no param 'h'", m.param<float>("h"));
    THROWS(NGRT_EMODEL, "another type", m.param<double>("h.W"));
    THROWS(NGRT_EMODEL, "another type", m.input("t", x));
    THROWS(NGRT_EMODEL, "is not a number", m.input("x", 1));
    THROWS(NGRT_EMODEL, "no input 'y'", m.input("y", 1));
    THROWS(NGRT_EMODEL, "no run-time size 'k'", m.size("k", 1));
    THROWS(NGRT_EMODEL, "is not a number", m.value("p"));
    THROWS(NGRT_ESIZE, "out of the tensor", m.param<float>("h.b").at(8));
}

static void sizes()
{
    ngc::Model m(sizes_model);
    std::vector<double> x(6, 1), w(8, 2), b(2, 10);
    m.input("b", b);
    m.input("x", x); /* [m, n]: of 6, when n is known by b */
    m.input("w", w); /* [2*m]: room for its bound */
    m.predict();
    check(m.size("m") == 3 && m.size("n") == 2, "a size by another input");
    check(m.value("s") == 0.5*6 + 20 + 12 && m.value("k2") == 4, "numbers and default values");
    m.input("k", 5);
    m.input("f", 2);
    m.predict();
    check(m.value("k2") == 10 && m.value("s") == 2*6 + 20 + 12, "numbers");
    THROWS(NGRT_EMODEL, "whole number", m.input("k", 2.5));
    THROWS(NGRT_EMODEL, "whole number", m.input("k", 1e10));
    THROWS(NGRT_EMODEL, "is a number", m.input("k", b));
    w.pop_back();
    m.input("w", w);
    THROWS(NGRT_ESIZE, "w has another number", m.predict());
    THROWS(NGRT_EMODEL, "no step", m.step());
}

static void constants()
{
    ngc::Model m(fixed_model, &fixed_weights, NULL);
    std::vector<float> x = rows(2);
    m.input("x", x);
    m.predict();
    check(m.output<float>("p").size() == 6, "constant weights");
    THROWS(NGRT_EMODEL, "constants", m.param<float>("h.W"));
    THROWS(NGRT_EMODEL, "no step", m.step());
}

int main()
{
    training();
    sizes();
    constants();
    std::printf("%d failed\n", failed);
    return failed != 0;
}
