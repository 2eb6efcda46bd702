"""Do intervals of the logistic model cover?"""
