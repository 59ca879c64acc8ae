    value sums[$half * $half]; /* the pixels of a 2 x 2 block have equal weights: add them first */
    value *block = sums;
    const value *inputs = sums;

    for (int row = 0; row < $half; row++, pixels += $side)
        for (int column = 0; column < $half; column++, pixels += 2)
            *block++ = (value)(pixels[0] + pixels[1] + pixels[$side] + pixels[$side + 1]);
