#include <stdio.h>

#include "rpn.h"

int main(int argc, char **argv)
{
    long result;

    if (argc != 2) {
        fprintf(stderr, "usage: rpn 'EXPRESSION'\n");
        return 2;
    }
    enum rpn_status status = rpn_evaluate(argv[1], &result);
    if (status != RPN_OK) {
        fprintf(stderr, "rpn: %s\n", rpn_message(status));
        return 1;
    }
    printf("%ld\n", result);
    return 0;
}
