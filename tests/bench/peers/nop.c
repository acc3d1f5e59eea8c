/* SPDX-License-Identifier: MIT
 *
 * What starting any program costs: nothing is done and only the C library is linked.
 */
int main(void)
{
    return 0;
}
